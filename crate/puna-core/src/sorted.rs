//! Sorting with one loop for all types: the standard library's is compiled anew for each, some kilobytes of wasm every time.

use std::cmp::Ordering;

/// The items in order; equals stay as they were.
#[must_use]
pub fn sorted<T>(items: Vec<T>, compare: &dyn Fn(&T, &T) -> Ordering) -> Vec<T> {
    let of = |a: usize, b: usize| match (items.get(a), items.get(b)) {
        (Some(a), Some(b)) => compare(a, b),
        _ => Ordering::Equal,
    };
    let order = order(items.len(), &of);
    let mut items: Vec<_> = items.into_iter().map(Some).collect();
    let take = |ix: usize| items.get_mut(ix).and_then(Option::take);
    order.into_iter().filter_map(take).collect()
}

#[inline(never)]
fn order(len: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    order.sort_by(|a, b| compare(*a, *b));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_in_order_and_equals_as_they_were() {
        let items: Vec<_> = (0..100_u32).map(|ix| (ix * 37 % 10, ix)).collect();
        let mut want = items.clone();
        want.sort_by_key(|(key, _)| *key);
        assert_eq!(sorted(items, &|a, b| a.0.cmp(&b.0)), want);
        assert!(sorted(Vec::<u8>::new(), &Ord::cmp).is_empty());
    }
}
