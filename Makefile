# wherry: one non-recursive Makefile.
#
#   make                  build/release/wherry
#   make check            unit tests (cmocka); check-ROOM for one room
#   make e2e              end-to-end tests (pytest, a real Elasticsearch)
#   make e2e-restarts     Elasticsearch killed ten times under load (two minutes)
#   make e2e-recovery     what back-pressure costs, and how soon it is over (four minutes)
#   make e2e-backlog      5 GB beyond an offset of 4 GiB resume (minutes, 14 GB of disk)
#   make e2e-idle         what 10,000 idle files cost, printed (a minute and a half)
#   make e2e-matrix       every kind and version of server, a table at the end (fifteen minutes)
#   make torture          RUNS=n random runs of rotation, kill, stall and faults from SEED=s on
#   make bench            wherry beside its peers and the machine's limits (a quarter of an hour); CASE=... for one,
#                         CASE=backlog, CASE=soak (SECONDS=1800), CASE=metrics: what host metrics cost
#   make lint             formatting, headers, floors, banned functions, shell scripts
#   make format           rewrite the sources with clang-format
#   make fuzz             60 seconds of libFuzzer for each parser (FUZZ_SECONDS)
#   make docs             write etc/wherry.yml, docs/options.md and docs/metrics.md
#   make install          DESTDIR and PREFIX are honoured
#   make clean            remove build/
#   make help             this text
#
# Variables: BUILD=release|debug|asan|tsan|cov  INOTIFY=tools|raw  CC=gcc|clang  V=1  O=DIR

BUILD   ?= release
INOTIFY ?= tools
PREFIX  ?= /usr/local
O       ?= build/$(BUILD)
PYTHON  ?= python3
VERSION := $(shell sed -n 's/^\#define WHERRY_VERSION "\(.*\)"/\1/p' include/base/version.h)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
ifeq ($(V),)
Q := @
endif

# ---- rooms, by floor (a room links itself and everything below it) ---------------------------

FLOOR0 := base
FLOOR1 := os
FLOOR2 := config store
FLOOR3 := bulk decode
FLOOR4 := assets metrics output tail
FLOOR5 := run
ROOMS  := $(FLOOR5) $(FLOOR4) $(FLOOR3) $(FLOOR2) $(FLOOR1) $(FLOOR0)

BELOW_base    := base
BELOW_os      := os $(BELOW_base)
BELOW_config  := config $(BELOW_os)
BELOW_store   := store $(BELOW_os)
BELOW_decode  := decode $(BELOW_base)
BELOW_bulk    := bulk $(FLOOR2) $(BELOW_os)
$(foreach r,$(FLOOR4),$(eval BELOW_$(r) := $(r) decode $(BELOW_bulk)))
BELOW_run     := $(ROOMS)

# ---- flags -----------------------------------------------------------------------------------

WARN := -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wformat=2 -Wstrict-prototypes \
        -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wcast-align -Wwrite-strings -Wundef \
        -Wvla -Wswitch-enum -Wnull-dereference -Wimplicit-fallthrough -Wno-missing-field-initializers
WARN_PROBED := -Wformat-signedness
ifneq ($(WERROR),0)
WARN += -Werror
endif

CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
probe = $(shell $(CC) -Werror $(1) -x c -c /dev/null -o /dev/null 2>/dev/null && echo $(1))

# Nothing is thrown and no thread is cancelled, so only debuggers unwind: by what -g writes.
UNWIND := -fno-asynchronous-unwind-tables -fno-unwind-tables
# What runs for each line and each batch is compiled for speed, the rest for size.
HOT_OPT_release := -O2 -D_FORTIFY_SOURCE=2 $(UNWIND)
HOT := $(addprefix base/,buf cpu escape escape_neon escape_x86 hash json_scan json_scan_number num slice utf16) \
       base/utf8 $(addprefix bulk/,batch docid encode encode_run feed ledger span) decode/cri \
       decode/docker decode/time $(addprefix output/,elasticsearch_bulk reply_good) \
       $(addprefix tail/,decoded framing joins lines nul_run pass read recovery)

OPT_release := -Os -D_FORTIFY_SOURCE=2 $(UNWIND)
OPT_debug   := -O0
OPT_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
OPT_tsan    := -O1 -fsanitize=thread -fno-omit-frame-pointer
OPT_cov     := -O0 --coverage
LINK_asan   := -fsanitize=address,undefined
LINK_tsan   := -fsanitize=thread
LINK_cov    := --coverage
ifeq ($(OPT_$(BUILD)),)
$(error BUILD must be release, debug, asan, tsan or cov, not "$(BUILD)")
endif
ifeq ($(filter tools raw,$(INOTIFY)),)
$(error INOTIFY must be tools or raw, not "$(INOTIFY)")
endif

# Relocations of tables take a few bytes in place of 24 each where the C library can read them: glibc
# from 2.36 on. RELR= leaves them as they were.
RELR   ?= $(shell printf '\043include <features.h>\n\043if !__GLIBC_PREREQ(2, 36)\n\043error\n\043endif\nint main(void) { return 0; }' | \
            $(CC) -Werror -Wl,-z,pack-relative-relocs -x c - -o /dev/null 2>/dev/null && echo -Wl,-z,pack-relative-relocs)

LIB_LIBS  := -lcurl -lssl -lcrypto -lyaml -ldeflate -lcjson -lz -lzstd
# files beyond 2 GiB and times beyond 2038 also where a long has 32 bits
DEFS      := -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
ISAL      ?= $(if $(wildcard /usr/include/isa-l/igzip_lib.h /usr/include/isa-l.h),1,0)
ifeq ($(INOTIFY),tools)
DEFS     += -DWHERRY_INOTIFY_TOOLS=1
LIB_LIBS += -linotifytools
else
DEFS     += -DWHERRY_INOTIFY_TOOLS=0
endif
ifeq ($(ISAL),1)
DEFS     += -DWHERRY_ISAL=1
LIB_LIBS += -lisal
else
DEFS     += -DWHERRY_ISAL=0
endif

BASE_FLAGS := -std=gnu11 -g -pthread -fPIE -fvisibility=hidden -fstack-protector-strong \
              -ffunction-sections -fdata-sections -Iinclude -Iagent $(DEFS) \
              $(WARN) $(call probe,$(WARN_PROBED))
OPTIMIZE     = $(OPT_$(BUILD))
AGENT_FLAGS  = $(BASE_FLAGS) $(OPTIMIZE) -include base/banned.h $(CFLAGS)
TEST_FLAGS   = $(BASE_FLAGS) $(OPTIMIZE) -DWHERRY_ALLOCATOR -Itests/lib $(CFLAGS)
LINK_FLAGS  := -pthread -pie -Wl,--gc-sections -Wl,--as-needed -Wl,-z,relro,-z,now $(RELR) \
               $(LINK_$(BUILD)) $(LDFLAGS)

# ---- sources ---------------------------------------------------------------------------------

room_src = $(sort $(wildcard agent/$(1)/*.c))
SKIP := $(if $(filter raw,$(INOTIFY)),agent/os/watch_tools.c)
$(foreach r,$(ROOMS),$(eval OBJ_$(r) := $(patsubst %.c,$(O)/%.o,$(filter-out $(SKIP),$(call room_src,$(r))))))
MAIN_OBJ := $(patsubst %.c,$(O)/%.o,$(sort $(wildcard agent/*.c)))
libs = $(foreach r,$(1),$(if $(OBJ_$(r)),$(O)/lib/$(r).a))

TEST_SRC  := $(sort $(wildcard tests/unit/*/test_*.c))
TEST_BIN  := $(patsubst tests/%.c,$(O)/tests/%,$(TEST_SRC))
TOOL_SRC  := $(sort $(wildcard tests/tools/*.c))
TOOL_BIN  := $(patsubst tests/tools/%.c,$(O)/tools/%,$(TOOL_SRC))
BENCH_BIN := $(patsubst tests/bench/%.c,$(O)/bench/%,$(sort $(wildcard tests/bench/*.c)))
PRELOAD   := $(patsubst tests/preload/%.c,$(O)/tools/%.so,$(sort $(wildcard tests/preload/*.c)))
HELP_SRC  := $(sort $(wildcard tests/lib/*.c))
HELP_OBJ  := $(patsubst %.c,$(O)/%.o,$(HELP_SRC))

.PHONY: all objects check e2e e2e-restarts e2e-recovery e2e-backlog e2e-idle e2e-matrix torture bench lint format fuzz docs install clean help tools tests
all: $(O)/wherry

# Changed flags rebuild: the stamp changes only when the text does.
STAMP := $(O)/.flags
FLAGS_TEXT := $(CC) $(AGENT_FLAGS) $(HOT) $(HOT_OPT_$(BUILD)) $(LINK_FLAGS) $(LIB_LIBS)
ifneq ($(filter-out clean help lint format,$(or $(MAKECMDGOALS),all)),)
$(shell mkdir -p $(O); printf '%s' '$(FLAGS_TEXT)' | cmp -s - $(STAMP) || printf '%s' '$(FLAGS_TEXT)' > $(STAMP))
endif

$(O)/agent/%.o: agent/%.c $(STAMP)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC $<")
	$(Q)$(CC) $(AGENT_FLAGS) -MMD -MP -c $< -o $@

ifneq ($(HOT_OPT_$(BUILD)),)
$(HOT:%=$(O)/agent/%.o): OPTIMIZE = $(HOT_OPT_$(BUILD))
endif

# the one caller of the C library's allocator, and xxhash.h, which names malloc
$(O)/agent/base/mem.o $(O)/agent/base/hash.o: AGENT_FLAGS += -DWHERRY_ALLOCATOR
# OpenSSL's headers use names that are banned here
$(O)/agent/os/http_tls.o: AGENT_FLAGS += -DWHERRY_OPENSSL

$(O)/tests/%.o: tests/%.c $(STAMP)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  CC $<")
	$(Q)$(CC) $(TEST_FLAGS) -MMD -MP -c $< -o $@

define room_lib
$(O)/lib/$(1).a: $(OBJ_$(1))
	@mkdir -p $$(@D)
	$(Q)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call room_lib,$(r))))

# all of the program but for the libraries it is linked to, which another target's compiler may lack
objects: $(MAIN_OBJ) $(call libs,$(ROOMS))

$(O)/wherry: $(MAIN_OBJ) $(call libs,$(ROOMS))
	$(if $(Q),@echo "  LD $@")
	$(Q)$(CC) $(LINK_FLAGS) -o $@ $^ $(LIB_LIBS)

# tests/unit/ROOM/test_X.c links ROOM and the floors below
define unit_room
$(O)/tests/unit/$(1)/%: $(O)/tests/unit/$(1)/%.o $(HELP_OBJ) $$(call libs,$$(BELOW_$(1)))
	$(if $(Q),@echo "  LD $$@")
	$(Q)$(CC) $(LINK_FLAGS) -o $$@ $$^ $(LIB_LIBS) -lcmocka
.PHONY: check-$(1)
check-$(1): $(filter $(O)/tests/unit/$(1)/%,$(TEST_BIN))
	$(Q)scripts/unit-run $$^
endef
$(foreach r,$(ROOMS),$(eval $(call unit_room,$(r))))

$(O)/tools/%: $(O)/tests/tools/%.o $(call libs,$(BELOW_bulk))
	@mkdir -p $(@D)
	$(if $(Q),@echo "  LD $@")
	$(Q)$(CC) $(LINK_FLAGS) -o $@ $^ $(LIB_LIBS)

$(O)/bench/%: $(O)/tests/bench/%.o
	@mkdir -p $(@D)
	$(if $(Q),@echo "  LD $@")
	$(Q)$(CC) $(LINK_FLAGS) -o $@ $^ $(LIB_LIBS)

# preloaded into wherry: symbols as the C library has them, no sanitizers
$(O)/tools/%.so: tests/preload/%.c $(STAMP)
	@mkdir -p $(@D)
	$(if $(Q),@echo "  LD $@")
	$(Q)$(CC) -std=gnu11 -O1 -g $(WARN) -D_GNU_SOURCE -fPIC -shared -pthread -o $@ $< -ldl

.SECONDARY:
tools: $(TOOL_BIN) $(PRELOAD) $(BENCH_BIN)
tests: $(TEST_BIN)

check: $(TEST_BIN)
	$(Q)scripts/unit-run $^

e2e: $(O)/wherry tools
	$(Q)WHERRY_BUILD=$(abspath $(O)) scripts/e2e-run $(PYTEST_ARGS)

e2e-restarts: $(O)/wherry tools
	$(Q)WHERRY_BUILD=$(abspath $(O)) scripts/e2e-run -m restarts -s

e2e-recovery: $(O)/wherry tools
	$(Q)WHERRY_BUILD=$(abspath $(O)) scripts/e2e-run -m recovery -s

e2e-backlog: $(O)/wherry tools
	$(Q)WHERRY_BUILD=$(abspath $(O)) scripts/e2e-run -m backlog -s

e2e-idle: $(O)/wherry tools
	$(Q)WHERRY_BUILD=$(abspath $(O)) scripts/e2e-run -m idle -s

e2e-matrix: $(O)/wherry tools
	$(Q)WHERRY_BUILD=$(abspath $(O)) scripts/matrix-run $(PYTEST_ARGS)

torture: $(O)/wherry tools
	$(Q)WHERRY_BUILD=$(abspath $(O)) scripts/torture-run $(if $(RUNS),--runs $(RUNS)) \
	    $(if $(SEED),--seed $(SEED)) $(TORTURE_ARGS)

bench: $(O)/wherry tools
	$(Q)WHERRY_BUILD=$(abspath $(O)) $(if $(SECONDS),BENCH_SECONDS=$(SECONDS)) \
	    scripts/$(if $(filter metrics,$(CASE)),bench-metrics,bench-run $(CASE))

lint:
	$(Q)scripts/lint

format:
	$(Q)git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format-14 -i

fuzz:
	$(Q)scripts/fuzz-run

docs: $(O)/wherry
	$(Q)scripts/make-docs $(O)/wherry

install: $(O)/wherry
	install -D -m 755 $(O)/wherry $(DESTDIR)$(PREFIX)/bin/wherry
	install -D -m 640 etc/wherry.yml $(DESTDIR)/etc/wherry/wherry.yml
	install -d -m 755 $(DESTDIR)/etc/wherry/inputs.d
	install -D -m 644 packaging/wherry.service $(DESTDIR)$(PREFIX)/lib/systemd/system/wherry.service
	install -d -m 700 $(DESTDIR)/var/lib/wherry
	install -D -m 644 README.md $(DESTDIR)$(PREFIX)/share/doc/wherry/README.md
	install -D -m 644 docs/options.md $(DESTDIR)$(PREFIX)/share/doc/wherry/options.md
	install -D -m 644 docs/setup.md $(DESTDIR)$(PREFIX)/share/doc/wherry/setup.md
	install -D -m 644 docs/isp.md $(DESTDIR)$(PREFIX)/share/doc/wherry/isp.md

clean:
	rm -rf build

help:
	$(Q)sed -n '/^# wherry/,/^# Variables/s/^# \{0,1\}//p' $(firstword $(MAKEFILE_LIST))

-include $(shell find $(O) -name '*.d' 2>/dev/null)
