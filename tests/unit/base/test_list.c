/* base/list: order, removal while walking, and nodes that are in no list. */
#include "base/list.h"

#include <stddef.h>

#include "check.h"

struct item {
    int value;
    struct list node;
};

/* the values in order as one number, 123 for 1, 2, 3; both directions must agree */
static int digits(struct list *head)
{
    int forward = 0;
    int backward = 0;
    int weight = 1;
    LIST_EACH(node, head)
        forward = forward * 10 + LIST_ENTRY(node, struct item, node)->value;
    for (struct list *node = head->prev; node != head; node = node->prev) {
        backward += weight * LIST_ENTRY(node, struct item, node)->value;
        weight *= 10;
    }
    assert_int_equal(forward, backward);
    return forward;
}

static void pushing_and_popping(void **state)
{
    (void)state;
    struct item items[] = {{.value = 1}, {.value = 2}, {.value = 3}, {.value = 4}};
    struct list head;
    list_init(&head);
    assert_true(list_is_empty(&head));
    assert_null(list_pop_front(&head));
    list_push_back(&head, &items[1].node);
    list_push_back(&head, &items[2].node);
    list_push_front(&head, &items[0].node);
    list_insert_after(&items[1].node, &items[3].node);
    assert_int_equal(digits(&head), 1243);
    assert_true(list_pop_front(&head) == &items[0].node);
    assert_true(list_is_empty(&items[0].node));
    assert_int_equal(digits(&head), 243);
}

static void removing(void **state)
{
    (void)state;
    struct item items[] = {{.value = 1}, {.value = 2}, {.value = 3}};
    struct list head;
    list_init(&head);
    for (size_t i = 0; i < ARRAY_LEN(items); i++)
        list_push_back(&head, &items[i].node);
    list_remove(&items[1].node);
    assert_int_equal(digits(&head), 13);
    list_remove(&items[1].node); /* in no list now: harmless */
    assert_int_equal(digits(&head), 13);
    list_push_front(&head, &items[1].node);
    assert_int_equal(digits(&head), 213);
}

static void removing_while_walking(void **state)
{
    (void)state;
    struct item items[9];
    struct list head;
    list_init(&head);
    for (int i = 0; i < 9; i++) {
        items[i].value = i + 1;
        list_push_back(&head, &items[i].node);
    }
    LIST_EACH(node, &head) {
        if (LIST_ENTRY(node, struct item, node)->value % 2 == 0)
            list_remove(node);
    }
    assert_int_equal(digits(&head), 13579);
    LIST_EACH(node, &head)
        list_remove(node);
    assert_true(list_is_empty(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pushing_and_popping),
        cmocka_unit_test(removing),
        cmocka_unit_test(removing_while_walking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
