//! Twin of `shaders/kernel/place.wgsl`.

use crate::graph::Source;

/// Elements `from ..` of a source, with `offset` added to each, go to their places in a vector.
pub fn place(elements: &[f32], source: &Source, from: usize, offset: f32, out: &mut [f32]) {
    for (i, element) in elements.iter().enumerate() {
        out[source.landing(from + i)] = element + offset;
    }
}
