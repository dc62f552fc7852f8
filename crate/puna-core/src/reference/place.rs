//! Twin of `shaders/kernel/place.wgsl`.

use crate::graph::Source;

/// Elements `from ..` of a source go to their places among the words of a vector.
pub fn place(elements: &[f32], source: &Source, from: usize, out: &mut [u32]) {
    for (i, element) in elements.iter().enumerate() {
        out[source.landing(from + i)] = element.to_bits();
    }
}
