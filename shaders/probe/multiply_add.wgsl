// probe/multiply_add: how many multiply-adds a second the adapter can do when everything is in registers.
// Each invocation has 3 vec4 accumulators, which are 12 chains that do not wait for one another, and does
// 16 * ROUNDS multiply-adds on each:
//
//   s = s * factor + addend
//
// `factor` comes from memory, so no compiler knows that it is 1. All values are then whole numbers that f32 holds
// exactly, and the result tells whether every multiply-add was done:
//
//   result = (s0 + s1 + s2 at the start) + 3 * 16 * ROUNDS * addend
//
// terms  [2]              factor, addend
// result [INVOCATIONS]

@group(0) @binding(0) var<storage, read> terms: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let factor = terms[0];
    let addend = terms[1];
    // Starts differ, so that no chain can be computed once for two.
    var s0 = vec4f(f32(id.x % START_PERIOD));
    var s1 = s0 + 1.0;
    var s2 = s0 + 2.0;
    for (var round = 0u; round < ROUNDS; round++) {
        s0 = fma(s0, factor, addend); s1 = fma(s1, factor, addend); s2 = fma(s2, factor, addend);
        s0 = fma(s0, factor, addend); s1 = fma(s1, factor, addend); s2 = fma(s2, factor, addend);
        s0 = fma(s0, factor, addend); s1 = fma(s1, factor, addend); s2 = fma(s2, factor, addend);
        s0 = fma(s0, factor, addend); s1 = fma(s1, factor, addend); s2 = fma(s2, factor, addend);
        s0 = fma(s0, factor, addend); s1 = fma(s1, factor, addend); s2 = fma(s2, factor, addend);
        s0 = fma(s0, factor, addend); s1 = fma(s1, factor, addend); s2 = fma(s2, factor, addend);
        s0 = fma(s0, factor, addend); s1 = fma(s1, factor, addend); s2 = fma(s2, factor, addend);
        s0 = fma(s0, factor, addend); s1 = fma(s1, factor, addend); s2 = fma(s2, factor, addend);
        s0 = fma(s0, factor, addend); s1 = fma(s1, factor, addend); s2 = fma(s2, factor, addend);
        s0 = fma(s0, factor, addend); s1 = fma(s1, factor, addend); s2 = fma(s2, factor, addend);
        s0 = fma(s0, factor, addend); s1 = fma(s1, factor, addend); s2 = fma(s2, factor, addend);
        s0 = fma(s0, factor, addend); s1 = fma(s1, factor, addend); s2 = fma(s2, factor, addend);
        s0 = fma(s0, factor, addend); s1 = fma(s1, factor, addend); s2 = fma(s2, factor, addend);
        s0 = fma(s0, factor, addend); s1 = fma(s1, factor, addend); s2 = fma(s2, factor, addend);
        s0 = fma(s0, factor, addend); s1 = fma(s1, factor, addend); s2 = fma(s2, factor, addend);
        s0 = fma(s0, factor, addend); s1 = fma(s1, factor, addend); s2 = fma(s2, factor, addend);
    }
    result[id.x] = s0 + s1 + s2;
}
