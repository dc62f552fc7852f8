// out[0] = how often a loop goes round that is to go round `asked` times, where a driver may bound that; and once more for each
// time that a row of numbers, of which no compiler knows the end, comes to 7
// One invocation.

struct Params {
    asked: u32,
}

@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(7) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(1)
fn main() {
    var number = params.asked;
    var count = 0u;
    for (var i = 0u; i < params.asked; i++) {
        // Numerical Recipes' generator (Press et al. 1992).
        number = number * 1664525u + 1013904223u;
        count += select(1u, 2u, number % 1024u == 7u);
    }
    out[0] = count;
}
