// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/guarded.wgsl
// import shared/tripwire.wgsl

// batch_norm_update: moving_mean[c] <- moving_mean[c] * MOMENTUM + sum[c]/n * REST, and likewise the moving variance from square_sum,
// over the n rows of the whole batch's samples, unless the tripwire (shared/tripwire.wgsl) forbids it. REST is 1 - MOMENTUM.
// One invocation per Real of columns.
//
// sum             [COLUMNS]
// square_sum      [COLUMNS]
// loss            [_], of which only element `slot` is read
// tripwire        [1]
// moving_mean     [COLUMNS]
// moving_variance [COLUMNS]

@group(0) @binding(0) var<storage, read> sum: array<Real>;
@group(0) @binding(1) var<storage, read> square_sum: array<Real>;
@group(0) @binding(2) var<storage, read> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> tripwire: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read_write> moving_mean: array<Real>;
@group(0) @binding(5) var<storage, read_write> moving_variance: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS || held() {
        return;
    }
    let n = f32(batch.divisor * POSITIONS);
    let mean = moving_mean[MOVING_MEAN_BASE + index];
    let variance = moving_variance[MOVING_VARIANCE_BASE + index];
    moving_mean[MOVING_MEAN_BASE + index] = mean * MOMENTUM + sum[SUM_BASE + index] / n * REST;
    moving_variance[MOVING_VARIANCE_BASE + index] = variance * MOMENTUM + square_sum[SQUARE_SUM_BASE + index] / n * REST;
}
