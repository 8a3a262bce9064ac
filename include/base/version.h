#ifndef BASE_VERSION_H
#define BASE_VERSION_H

/* The one place of the version; semantic versioning. */
#define WHERRY_VERSION "0.1.0"

#endif
