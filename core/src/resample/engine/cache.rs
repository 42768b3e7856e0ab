//! The plans that the process keeps for reuse.

#![forbid(unsafe_code)]

use std::any::Any;
use std::sync::Arc;

use mapwave_fork::Lock;

use super::plan::Plan;
use super::quality::FilterQuality;
use super::rates::Rates;
use super::sample::Sample;
use crate::error::Result;

/// How many plans of a precision are kept.
const MAX_PLANS: usize = 8;

/// The size of the largest plan that is kept; most plans take less than a megabyte.
const MAX_BYTES: usize = 16 << 20;

/// The most recently used plans, in order of use.
struct Cache<T> {
    plans: Lock<Vec<Arc<Plan<T>>>>,
}

impl<T> Cache<T> {
    const fn new() -> Self {
        Self { plans: Lock::new() }
    }
}

impl<T: Sample> Cache<T> {
    /// The plan for these arguments. The lock is released while a plan is made: two threads may make the same plan, and both use
    /// the first to be ready.
    fn plan(&self, rates: Rates, quality: FilterQuality) -> Result<Arc<Plan<T>>> {
        let known = find(&mut self.plans.lock(), rates, quality);
        if let Some(plan) = known {
            return Ok(plan);
        }
        let made = Arc::new(Plan::new(rates, quality)?);
        if made.num_bytes() > MAX_BYTES {
            return Ok(made);
        }
        let mut plans = self.plans.lock();
        if let Some(plan) = find(&mut plans, rates, quality) {
            return Ok(plan);
        }
        if plans.len() >= MAX_PLANS {
            plans.remove(0);
        }
        plans.push(Arc::clone(&made));
        Ok(made)
    }
}

/// The cache for a sample type; each type has its own.
fn cache<T: Sample>() -> Option<&'static Cache<T>> {
    static SINGLE: Cache<f32> = Cache::new();
    static DOUBLE: Cache<f64> = Cache::new();
    let caches: [&'static dyn Any; 2] = [&SINGLE, &DOUBLE];
    caches.into_iter().find_map(|cache| cache.downcast_ref())
}

impl<T: Sample> Plan<T> {
    /// The plan for these rates and this quality: a cached one, or a new one.
    ///
    /// The eight most recently used plans of each precision are kept, unless a plan is larger than 16 MB. For common sample
    /// rates, making a new plan takes a millisecond or two.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) if the output rate is so far below the input rate that the filter would be
    /// longer than some millions of frames: from a factor of about 15000 at the best quality.
    pub fn shared(rates: Rates, quality: FilterQuality) -> Result<Arc<Self>> {
        match cache() {
            Some(cache) => cache.plan(rates, quality),
            None => Self::new(rates, quality).map(Arc::new),
        }
    }
}

/// The plan for these arguments, which becomes the most recently used.
fn find<T: Sample>(
    plans: &mut Vec<Arc<Plan<T>>>,
    rates: Rates,
    quality: FilterQuality,
) -> Option<Arc<Plan<T>>> {
    let index = plans.iter().position(|plan| plan.is_for(rates, quality))?;
    let plan = plans.remove(index);
    plans.push(Arc::clone(&plan));
    Some(plan)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_plans_used_last_are_kept() {
        let cache = Cache::<f32>::new();
        let plan = |output| cache.plan(Rates::new(48_000, output).unwrap(), FilterQuality::Fastest).unwrap();
        let first = plan(16_000);
        assert!(Arc::ptr_eq(&first, &plan(16_000)));
        for output in (1..MAX_PLANS).map(|index| 1000 * u32::try_from(index).unwrap()) {
            plan(output);
        }
        assert!(Arc::ptr_eq(&first, &plan(16_000)), "the oldest plan of as many as are kept");
        let second = plan(2000);
        plan(44_100);
        assert_eq!(cache.plans.lock().len(), MAX_PLANS);
        assert!(Arc::ptr_eq(&first, &plan(16_000)), "used since");
        assert!(Arc::ptr_eq(&second, &plan(2000)), "used since");
        let (one, other) = (plan(1000), plan(1000));
        assert!(Arc::ptr_eq(&one, &other), "made again, then kept");
        let best = cache.plan(Rates::new(48_000, 1000).unwrap(), FilterQuality::Low).unwrap();
        assert!(!Arc::ptr_eq(&best, &one), "another quality is another plan");
    }

    #[test]
    fn a_plan_too_large_to_keep_still_works() {
        let cache = Cache::<f64>::new();
        let plan = cache.plan(Rates::new(768_000, 300).unwrap(), FilterQuality::Best).unwrap();
        assert!(plan.num_bytes() > MAX_BYTES, "{}", plan.num_bytes());
        assert!(cache.plans.lock().is_empty());
    }

    #[test]
    fn each_type_of_samples_has_its_cache() {
        assert!(cache::<f32>().is_some() && cache::<f64>().is_some());
        let rates = Rates::new(48_000, 16_000).unwrap();
        let shared = || Plan::<f64>::shared(rates, FilterQuality::Best).unwrap();
        assert!(Arc::ptr_eq(&shared(), &shared()));
    }
}
