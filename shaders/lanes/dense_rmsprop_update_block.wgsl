// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import lanes/eight_{vec4,int64}.wgsl
// import lanes/given.wgsl
// import lanes/block.wgsl
// import lanes/block_across.wgsl
// import lanes/block_rows.wgsl
// import shared/weight_decay.wgsl
// import shared/guarded.wgsl
// import shared/tripwire.wgsl
// import shared/rmsprop.wgsl

// dense_rmsprop_update, with the gradient of the layer's output in registers: the lanes of a subgroup hold 8 columns
// each of the whole of b and let TILE_M rows of weights pass by, whose gradients they compute as matmul_at_b_block does
// and use at once. M and N are multiples of 8, and K is at most BLOCK.
//
// a         [K, M]
// b         [K, N]
// loss      [_], of which only element `slot` is read
// tripwire  [1]
// state     [slots, LEN]
// parameter [LEN]

@group(0) @binding(0) var<storage, read> a: array<Eights>;
@group(0) @binding(1) var<storage, read> b: array<Eights>;
@group(0) @binding(2) var<storage, read> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> tripwire: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read_write> state: array<Eights>;
@group(0) @binding(5) var<storage, read_write> parameter: array<Eights>;

const N_EIGHTS = N / EIGHTS;
const TILES_M = (OUT_M + TILE_M - 1u) / TILE_M;
const TILE_EIGHTS = COLUMN_EIGHTS * LANES;
const TILES_N = (N_EIGHTS + TILE_EIGHTS - 1u) / TILE_EIGHTS;

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

// Eight columns of all rows of b.
fn load(column: u32, low: ptr<function, Block>, high: ptr<function, Block>) {
    let b_column = B_BASE + min(column, N_EIGHTS - 1u);
    for (var giver = 0u; giver < BLOCK_EIGHTS; giver++) {
        for (var t = 0u; t < EIGHTS; t++) {
            let row = min(giver * EIGHTS + t, K - 1u);
            let eight = unpacked(b[b_column + row * N_EIGHTS]);
            (*low)[giver][t] = eight.low;
            (*high)[giver][t] = eight.high;
        }
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
    let column = tile % TILES_N * TILE_EIGHTS + lane;
    let first_row = tile / TILES_N * TILE_M;
    var low: Block;
    var high: Block;
    load(column, &low, &high);
    var more_low: Block;
    var more_high: Block;
    if COLUMN_EIGHTS > 1u {
        load(column + LANES, &more_low, &more_high);
    }
    for (var eight = first_row; eight < min(first_row + TILE_M, OUT_M); eight += EIGHTS) {
        var terms = terms_of_rows(eight, 0u, K, lane);
        for (var e = 0u; e < min(EIGHTS, OUT_M - eight); e++) {
            let gradient = products_across(&terms, e, &low, &high, &more_low, &more_high);
            let place = FIRST / EIGHTS + (eight + e) * N_EIGHTS + column;
            if column < N_EIGHTS {
                update(gradient.first, place);
            }
            if COLUMN_EIGHTS > 1u && column + LANES < N_EIGHTS {
                update(gradient.more, place + LANES);
            }
        }
    }
    report();
}
