// Sums of the parts of lib/attention_parts.wgsl → out, for tokens that have several.
//
// One workgroup → one token and query head. Linked with kernel/attention.wgsl, a sink and lib/key_parts.wgsl.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = group.x;
    let t = group.z;
    let parts = parts_of(keys_of(t));
    if (parts == 1u) {
        return;
    }
    var highest = LOWEST;
    for (var part = 0u; part < parts; part++) {
        highest = max(highest, sums_of_parts[part_at(t, head, part) + VALUES4].x);
    }
    let sink = sink_weight(head, highest);
    for (var d4 = lane; d4 < VALUES4; d4 += WORKGROUP) {
        var sum = vec4<f32>(0.0);
        var total = 0.0;
        for (var part = 0u; part < parts; part++) {
            let at = part_at(t, head, part);
            let fade = exp(sums_of_parts[at + VALUES4].x - highest);
            sum += fade * sums_of_parts[at + d4];
            total += fade * sums_of_parts[at + VALUES4].y;
        }
        store4(t, head, d4, sum / (total + sink));
    }
}
