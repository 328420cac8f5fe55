/* An extension module that, like a library for linear algebra, has as many threads as there were processors when it was
 * loaded, and reads variables as OpenMP does. */
#define _GNU_SOURCE 1
#include <Python.h>
#include <pthread.h>
#include <sched.h>

static int threads;
static pthread_t loader;

__attribute__((constructor)) static void count(void)
{
    cpu_set_t usable;
    sched_getaffinity(0, sizeof usable, &usable);
    threads = CPU_COUNT(&usable);
    loader = pthread_self();
}

int openblas_get_num_threads(void)
{
    return threads;
}

void openblas_set_num_threads(int wanted)
{
    threads = wanted;
}

void GOMP_parallel(void)
{
}

__attribute__((noinline)) long crew_work(long number)
{
    __asm__ volatile("" : "+r"(number));
    return number * threads;
}

static PyObject *work(PyObject *self, PyObject *number)
{
    return PyLong_FromLong(crew_work(PyLong_AsLong(number)));
}

static PyObject *is_loader(PyObject *self, PyObject *unused)
{
    return PyBool_FromLong(pthread_equal(loader, pthread_self()));
}

static PyMethodDef methods[] = {
    {"work", work, METH_O, NULL},
    {"is_loader", is_loader, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "crew", .m_methods = methods};

PyMODINIT_FUNC PyInit_crew(void)
{
    return PyModuleDef_Init(&definition);
}
