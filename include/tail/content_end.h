#ifndef TAIL_CONTENT_END_H
#define TAIL_CONTENT_END_H

/* How content ends, as far as is known. */
enum content_end {
    CONTENT_OPEN,    /* more may come */
    CONTENT_WHOLE,   /* compressed, and whole */
    CONTENT_CORRUPT, /* compressed, and damaged behind what can be read */
    CONTENT_WINDOW,  /* compressed with a window that is too large */
};

#endif
