// import shared/batch.wgsl
// import shared/weight_decay.wgsl
// import shared/guarded.wgsl
// import shared/tripwire.wgsl
// import shared/rmsprop.wgsl
// import shared/rmsprop_in_place.wgsl
// import shared/dense_tile.wgsl
// import shared/a_columns.wgsl
// import shared/b_columns.wgsl

// dense_rmsprop_update, through workgroup memory (shared/workgroup_product.wgsl): a workgroup computes one tile of the gradient and
// updates its weights. M and N are multiples of 4; the row past M is that of the bias.
//
// a         [K, M]
// b         [K, N]
// loss      [_], of which only element `slot` is read
// tripwire  [1]
// state     [slots, LEN]
// parameter [LEN]

@group(0) @binding(0) var<storage, read> a: array<Real>;
@group(0) @binding(1) var<storage, read> b: array<Real>;
@group(0) @binding(2) var<storage, read> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> tripwire: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read_write> state: array<Real>;
@group(0) @binding(5) var<storage, read_write> parameter: array<Real>;

const TERMS_PER_PART = K;

fn store(tile: u32, row: u32, column: u32, sum: Real) {
    let at = element(tile, row, column);
    if at.is_inside && !held() {
        update(sum, FIRST / WIDTH + at.place);
        report();
    }
}
