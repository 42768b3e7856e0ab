/* The OpenMP locks that libsoxr uses, without OpenMP. A lock may be released by another thread than the one that took it. */

#if !defined mapwave_soxr_omp_included
#define mapwave_soxr_omp_included

#include <sched.h>

typedef struct {
    int is_taken;
} omp_lock_t;

static inline void omp_init_lock(omp_lock_t *lock)
{
    __atomic_store_n(&lock->is_taken, 0, __ATOMIC_RELEASE);
}

static inline void omp_destroy_lock(omp_lock_t *lock)
{
    (void)lock;
}

static inline void omp_set_lock(omp_lock_t *lock)
{
    while (__atomic_exchange_n(&lock->is_taken, 1, __ATOMIC_ACQUIRE))
        sched_yield();
}

static inline void omp_unset_lock(omp_lock_t *lock)
{
    __atomic_store_n(&lock->is_taken, 0, __ATOMIC_RELEASE);
}

#endif
