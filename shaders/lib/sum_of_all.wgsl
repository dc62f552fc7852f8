// The sum of what all invocations of a workgroup bring; all of them take part.
var<workgroup> brought: array<f32, WORKGROUP>;

fn sum_of_all(lane: u32, value: f32) -> f32 {
    brought[lane] = value;
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) {
            brought[lane] += brought[lane + half];
        }
    }
    workgroupBarrier();
    return brought[0];
}
