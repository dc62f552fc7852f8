//! A slice that several threads write to, each its own elements.

use std::marker::PhantomData;
use std::ops::Range;

/// A slice lent to several threads.
#[derive(Debug)]
pub(crate) struct Scatter<'a, T> {
    start: *mut T,
    len: usize,
    of: PhantomData<&'a mut [T]>,
}

// SAFETY: elements go to one thread at a time, by the contract of `slice`.
unsafe impl<T: Send> Sync for Scatter<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Scatter<'_, T> {}

impl<'a, T> Scatter<'a, T> {
    pub(crate) const fn new(slice: &'a mut [T]) -> Self {
        Self {
            start: slice.as_mut_ptr(),
            len: slice.len(),
            of: PhantomData,
        }
    }

    /// Some of the elements.
    ///
    /// # Safety
    /// Until what is returned is dropped, no other call gives out any of them.
    ///
    /// # Panics
    /// When there are no such elements.
    #[expect(clippy::mut_from_ref, reason = "the point of it; see the contract")]
    pub(crate) unsafe fn slice(&self, range: Range<usize>) -> &mut [T] {
        assert!(
            range.start <= range.end && range.end <= self.len,
            "elements {range:?} of {}",
            self.len
        );
        // SAFETY: in bounds; nobody else has them, by the contract.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}
