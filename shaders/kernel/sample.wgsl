// The next token of logits, as `sampler/mod.rs` chooses it; and the step after this one made ready.
//   logits (seats, ROWS) f32 behind kernel/penalize.wgsl, best (seats, SLICES): key and id
// One workgroup → one seat. Keys are found digit by digit, from the top: a histogram of those that still may be it.
// Linked with lib/step, lib/sampling, lib/philox, lib/fixed.
@group(0) @binding(7) var<storage, read_write> logits: array<u32>; // (seats, ROWS), bits of f32
@group(0) @binding(13) var<storage, read_write> seen: array<u32>; // (seats, ROWS)
@group(0) @binding(16) var<storage, read_write> best: array<vec2<u32>>; // (seats, SLICES): key, id
@group(0) @binding(17) var<storage, read_write> next: Step;
@group(0) @binding(18) var<storage, read_write> next_id: array<u32>; // (seats,)
@group(0) @binding(19) var<storage, read_write> emitted: array<u32>; // (seats, RING): id of each draw, UNUSABLE if it is none

// The largest logit is not a number.
const UNUSABLE = 0x80000000u;
const DIGITS = 256u;

var<workgroup> counts: array<atomic<u32>, DIGITS>;
var<workgroup> masses: array<atomic<u32>, DIGITS * 3u>;
var<workgroup> sums: array<vec4<u32>, WORKGROUP>;
// What `find` found: the digits so far; the sums above them; how many equals, and how many of them it takes.
var<workgroup> found_key: u32;
var<workgroup> found_above: vec4<u32>;
var<workgroup> found_equals: u32;
var<workgroup> found_taken: u32;
var<workgroup> chosen: u32;

// A token's weight: 1 for the best.
fn weight(bits: u32, highest: f32, temperature: f32) -> f32 {
    let below = max(bitcast<f32>(bits) - highest, -128.0 * temperature);
    return select(exp(below / temperature), 1.0, below >= 0.0);
}

// Sums of all values up to this lane's, and of all before it. (x, y, z) fixed and normal, w a count.
struct Sums {
    through: vec4<u32>,
    before: vec4<u32>,
    all: vec4<u32>,
}

fn sum_up(lane: u32, own: vec4<u32>) -> Sums {
    workgroupBarrier();
    sums[lane] = own;
    workgroupBarrier();
    for (var reach = 1u; reach < WORKGROUP; reach *= 2u) {
        var sum = sums[lane];
        if (lane >= reach) {
            sum += sums[lane - reach];
        }
        workgroupBarrier();
        sums[lane] = sum;
        workgroupBarrier();
    }
    var before = vec4<u32>(0u);
    if (lane > 0u) {
        before = sums[lane - 1u];
    }
    return Sums(whole(sums[lane]), whole(before), whole(sums[WORKGROUP - 1u]));
}

fn whole(sum: vec4<u32>) -> vec4<u32> {
    return vec4<u32>(normal(sum.xyz), sum.w);
}

// Which tokens stay: those with a larger key, and the first `equals` with this one.
struct Cut {
    key: u32,
    equals: u32,
}

// The shortest beginning of the ranking that is `count` tokens, or where that is 0 `part` of the weights above `floor`.
fn find(seat: u32, lane: u32, highest: f32, count: u32, part: u32, floor: Cut) -> Cut {
    let temperature = settings[seat].temperature;
    // All have read what an earlier search found.
    workgroupBarrier();
    if (lane == 0u) {
        found_key = 0u;
        found_above = vec4<u32>(0u);
    }
    var wanted = vec3<u32>(0u);
    for (var shift = 24i; shift >= 0i; shift -= 8i) {
        atomicStore(&counts[lane], 0u);
        for (var limb = 0u; limb < 3u; limb++) {
            atomicStore(&masses[lane * 3u + limb], 0u);
        }
        workgroupBarrier();
        let prefix = found_key;
        let above = found_above;
        let known = select(0xffffffffu << u32(shift + 8i), 0u, shift == 24i);
        for (var id = lane; id < settings[seat].vocab; id += WORKGROUP) {
            let bits = logits[seat * ROWS + id];
            let key = key_of(bits);
            if (key >= floor.key && (key & known) == prefix) {
                let digit = (key >> u32(shift)) & 255u;
                let mass = fixed(weight(bits, highest, temperature));
                atomicAdd(&counts[digit], 1u);
                for (var limb = 0u; limb < 3u; limb++) {
                    atomicAdd(&masses[digit * 3u + limb], mass[limb]);
                }
            }
        }
        workgroupBarrier();
        // The largest digit first.
        let digit = 255u - lane;
        let mass = vec3<u32>(
            atomicLoad(&masses[digit * 3u]),
            atomicLoad(&masses[digit * 3u + 1u]),
            atomicLoad(&masses[digit * 3u + 2u]),
        );
        let own = vec4<u32>(normal(mass), atomicLoad(&counts[digit]));
        let here = sum_up(lane, own);
        if (shift == 24i && count == 0u) {
            // Of the floor's equals not all may stay.
            let equal_mass = fixed(weight(bits_of(floor.key), highest, temperature));
            var total = here.all.xyz;
            if (floor.key > 0u) {
                total = difference(total, normal(equal_mass * (found_equals - floor.equals)));
            }
            wanted = share(total, part);
            wanted.z += u32(all(wanted == vec3<u32>(0u)));
        }
        let before = whole(above + here.before);
        let through = whole(above + here.through);
        let by_count = before.w < count && count <= through.w;
        let by_mass = less(before.xyz, wanted) && !less(through.xyz, wanted);
        if (select(by_mass, by_count, count > 0u)) {
            found_key = prefix | (digit << u32(shift));
            found_above = before;
            if (shift == 0i) {
                found_equals = own.w;
                found_taken = count - before.w;
                if (count == 0u) {
                    let each = fixed(weight(bits_of(found_key), highest, temperature));
                    let most = select(own.w, floor.equals, found_key == floor.key);
                    found_taken = min(times_to_reach(difference(wanted, before.xyz), each), most);
                }
            }
        }
        workgroupBarrier();
    }
    return Cut(found_key, found_taken);
}

// One of the tokens that stay, by chance: the first, in the order of ids, at which the sum of weights exceeds a part of it.
fn draw(seat: u32, lane: u32, highest: f32, cut: Cut) {
    let vocab = settings[seat].vocab;
    let each = (vocab + WORKGROUP - 1u) / WORKGROUP;
    let first = min(lane * each, vocab);
    let end = min(first + each, vocab);
    var equals = 0u;
    for (var id = first; id < end; id++) {
        equals += u32(key_of(logits[seat * ROWS + id]) == cut.key);
    }
    let earlier = sum_up(lane, vec4<u32>(0u, 0u, 0u, equals)).before.w;
    var mass = vec3<u32>(0u);
    var left = max(cut.equals, earlier) - earlier;
    for (var id = first; id < end; id++) {
        mass += stays(seat, id, highest, cut, &left);
    }
    let sum = sum_up(lane, vec4<u32>(normal(mass), 0u));
    let seed = vec2<u32>(settings[seat].seed_low, settings[seat].seed_high);
    let goal = share(sum.all.xyz, random(seed, next.seats[seat].drawn));
    if (!less(goal, sum.before.xyz) && less(goal, sum.through.xyz)) {
        var so_far = sum.before.xyz;
        left = max(cut.equals, earlier) - earlier;
        for (var id = first; id < end; id++) {
            so_far = normal(so_far + stays(seat, id, highest, cut, &left));
            if (less(goal, so_far)) {
                chosen = id;
                break;
            }
        }
    }
}

// The weight of a token if it stays, else 0; `left` of the cut's equals still do.
fn stays(seat: u32, id: u32, highest: f32, cut: Cut, left: ptr<function, u32>) -> vec3<u32> {
    let bits = logits[seat * ROWS + id];
    let key = key_of(bits);
    if (key < cut.key || (key == cut.key && *left == 0u)) {
        return vec3<u32>(0u);
    }
    *left -= u32(key == cut.key);
    let own = weight(bits, highest, settings[seat].temperature);
    return fixed(select(0.0, own, own >= settings[seat].min_p));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let seat = group.x;
    var own = vec2<u32>(0u);
    for (var slice = lane; slice < SLICES; slice += WORKGROUP) {
        own = better(own, best[seat * SLICES + slice]);
    }
    let top = best_of_all(lane, own);
    if (lane == 0u) {
        chosen = top.y;
    }
    if (!has(seat, GREEDY)) {
        let highest = bitcast<f32>(bits_of(top.x));
        var cut = Cut(0u, 0u);
        if (has(seat, TOP_K)) {
            cut = find(seat, lane, highest, settings[seat].top_k, 0u, cut);
        }
        if (has(seat, TOP_P)) {
            cut = find(seat, lane, highest, 0u, settings[seat].top_p, cut);
        }
        draw(seat, lane, highest, cut);
    }
    workgroupBarrier();
    if (lane == 0u) {
        if (has(seat, PENALTIES)) {
            seen[seat * ROWS + chosen] += 1u;
        }
        next_id[seat] = chosen;
        let own = &next.seats[seat];
        let at = seat * RING + (*own).drawn % RING;
        emitted[at] = chosen | select(0u, UNUSABLE, top.x == BROKEN);
        (*own).drawn += 1u;
        if (next.together == 1u) {
            (*own).position += 1u;
        } else {
            (*own).position += next.tokens;
            next.tokens = 1u;
            next.first_token = 0u;
        }
    }
}
