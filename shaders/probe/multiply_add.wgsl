// probe/multiply_add: how many multiply-adds a second the adapter can do when everything is in registers.
// Each invocation has 3 vec4 accumulators, which are 12 chains that do not wait for one another and, with both terms,
// fit 16 registers; it does 16 * ROUNDS multiply-adds on each:
//
//   s = s * factor + addend
//
// Both terms come from memory, so no compiler knows that they are 1. All values are then whole numbers that f32 holds
// exactly, and the result tells whether every multiply-add was done:
//
//   result = (s0 + s1 + s2 at the start) + 3 * 16 * ROUNDS
//
// terms  [2]              factor, addend
// result [INVOCATIONS]

@group(0) @binding(0) var<storage, read> terms: array<f32>;
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let factor = terms[0];
    let addend = terms[1];
    // Starts differ, so that no chain can be computed once for two.
    var s0 = f32(id.x % START_PERIOD) + vec4f(0.0, 1.0, 2.0, 3.0);
    var s1 = s0 + 4.0;
    var s2 = s1 + 4.0;
    for (var round = 0u; round < ROUNDS; round++) {
        s0 = s0 * factor + addend; s1 = s1 * factor + addend; s2 = s2 * factor + addend;
        s0 = s0 * factor + addend; s1 = s1 * factor + addend; s2 = s2 * factor + addend;
        s0 = s0 * factor + addend; s1 = s1 * factor + addend; s2 = s2 * factor + addend;
        s0 = s0 * factor + addend; s1 = s1 * factor + addend; s2 = s2 * factor + addend;
        s0 = s0 * factor + addend; s1 = s1 * factor + addend; s2 = s2 * factor + addend;
        s0 = s0 * factor + addend; s1 = s1 * factor + addend; s2 = s2 * factor + addend;
        s0 = s0 * factor + addend; s1 = s1 * factor + addend; s2 = s2 * factor + addend;
        s0 = s0 * factor + addend; s1 = s1 * factor + addend; s2 = s2 * factor + addend;
        s0 = s0 * factor + addend; s1 = s1 * factor + addend; s2 = s2 * factor + addend;
        s0 = s0 * factor + addend; s1 = s1 * factor + addend; s2 = s2 * factor + addend;
        s0 = s0 * factor + addend; s1 = s1 * factor + addend; s2 = s2 * factor + addend;
        s0 = s0 * factor + addend; s1 = s1 * factor + addend; s2 = s2 * factor + addend;
        s0 = s0 * factor + addend; s1 = s1 * factor + addend; s2 = s2 * factor + addend;
        s0 = s0 * factor + addend; s1 = s1 * factor + addend; s2 = s2 * factor + addend;
        s0 = s0 * factor + addend; s1 = s1 * factor + addend; s2 = s2 * factor + addend;
        s0 = s0 * factor + addend; s1 = s1 * factor + addend; s2 = s2 * factor + addend;
    }
    result[id.x] = s0 + s1 + s2;
}
