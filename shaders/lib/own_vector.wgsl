// A vector of the op's own: biases, or gains of a norm that it does itself. Uniform: of storage bindings there are few.
@group(0) @binding(24) var<uniform> own: array<vec4<f32>, OWN4>;

fn own_vector(i: u32) -> f32 {
    return own[i / 4u][i % 4u];
}
