/* A library of a wheel that another one needs. */
int dep_answer(void);
int dep_answer(void)
{
    return 42;
}
