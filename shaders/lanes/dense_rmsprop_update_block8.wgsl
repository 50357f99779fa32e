// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import lanes/eight.wgsl
// import lanes/block8.wgsl
// import lanes/block8_across.wgsl
// import lanes/block8_rows.wgsl
// import shared/weight_decay.wgsl
// import shared/guarded.wgsl
// import shared/tripwire.wgsl
// import shared/rmsprop.wgsl

// dense_rmsprop_update, with the gradient of the layer's output in registers: the 8 lanes of a subgroup hold 8 columns
// each of the whole of b and let TILE_M rows of weights pass by, whose gradients they compute as matmul_at_b_block8 does
// and use at once. M and N are multiples of 8, and K is at most BLOCK.
//
// a         [K, M]
// b         [K, N]
// loss      [_], of which only element `slot` is read
// tripwire  [1]
// state     [slots, LEN]
// parameter [LEN]

@group(0) @binding(0) var<storage, read> a: array<vec4<u64>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<u64>>;
@group(0) @binding(2) var<storage, read> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> tripwire: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read_write> state: array<vec4<u64>>;
@group(0) @binding(5) var<storage, read_write> parameter: array<vec4<u64>>;

const N_EIGHTS = N / EIGHTS;
const TILES_M = (OUT_M + TILE_M - 1u) / TILE_M;
const TILES_N = (N_EIGHTS + LANES - 1u) / LANES;

// The weights of a row of lanes in state and parameter, and their update.
fn update(gradient: Eight, place: u32) {
    let v_place = STATE_BASE + place;
    let m_place = v_place + M_SLOT * (LEN / EIGHTS);
    let a_place = v_place + A_SLOT * (LEN / EIGHTS);
    let w = unpacked(parameter[PARAMETER_BASE + place]);
    let v = unpacked(state[v_place]);
    var m = Eight();
    var a = Eight();
    if WITH_MOMENTUM {
        m = unpacked(state[m_place]);
    }
    if CENTERED {
        a = unpacked(state[a_place]);
    }
    let low = rmsprop(gradient.low, Weight(w.low, v.low, m.low, a.low));
    let high = rmsprop(gradient.high, Weight(w.high, v.high, m.high, a.high));
    parameter[PARAMETER_BASE + place] = packed(Eight(low.w, high.w));
    state[v_place] = packed(Eight(low.v, high.v));
    if WITH_MOMENTUM {
        state[m_place] = packed(Eight(low.m, high.m));
    }
    if CENTERED {
        state[a_place] = packed(Eight(low.a, high.a));
    }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_index) local: u32,
    @builtin(subgroup_invocation_id) lane: u32,
) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS || held() {
        return;
    }
    let tile = index / LANES;
    let column = tile % TILES_N * LANES + lane;
    let first_row = tile / TILES_N * TILE_M;
    let b_column = B_BASE + min(column, N_EIGHTS - 1u);
    var low: Block;
    var high: Block;
    for (var group8 = 0u; group8 < LANES; group8++) {
        for (var t = 0u; t < EIGHTS; t++) {
            let row = min(group8 * EIGHTS + t, K - 1u);
            let eight = unpacked(b[b_column + row * N_EIGHTS]);
            low[group8][t] = eight.low;
            high[group8][t] = eight.high;
        }
    }
    for (var eight = first_row; eight < min(first_row + TILE_M, OUT_M); eight += EIGHTS) {
        var terms = terms_of_rows(eight, 0u, K, lane);
        for (var e = 0u; e < min(EIGHTS, OUT_M - eight); e++) {
            let gradient = with_products_across(Eight(), &terms, e, &low, &high);
            if column < N_EIGHTS {
                update(gradient, FIRST / EIGHTS + (eight + e) * N_EIGHTS + column);
            }
        }
    }
    report();
}
