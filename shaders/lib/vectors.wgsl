// Vectors of all ops: gains of norms, biases of experts.
@group(0) @binding(8) var<storage, read> vectors: array<f32>;

fn vector_at(i: u32) -> f32 {
    return vectors[i];
}
