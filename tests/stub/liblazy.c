/* A library of a wheel that another one loads when it feels like it. */
extern int lazy_number;
int lazy_number = 7;
