// import shared/linear_index.wgsl
// import shared/batch.wgsl

// batch_norm_statistics: mean[c] = sum[c]/n and inverse_deviation[c] = 1 / sqrt(square_sum[c]/n + EPSILON) over the n rows of true
// samples in training, where the layer is TRAINED; else moving_mean[c] and 1 / sqrt(moving_variance[c] + EPSILON).
// One invocation per Real of columns.
//
// all [COLUMNS]

@group(0) @binding(0) var<storage, read> sum: array<Real>;
@group(0) @binding(1) var<storage, read> square_sum: array<Real>;
@group(0) @binding(2) var<storage, read> moving_mean: array<Real>;
@group(0) @binding(3) var<storage, read> moving_variance: array<Real>;
@group(0) @binding(4) var<storage, read_write> mean: array<Real>;
@group(0) @binding(5) var<storage, read_write> inverse_deviation: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    var average = moving_mean[MOVING_MEAN_BASE + index];
    var variance = moving_variance[MOVING_VARIANCE_BASE + index];
    if TRAINED && batch.training == 1u {
        let n = f32(batch.batch_size * POSITIONS);
        average = sum[SUM_BASE + index] / n;
        variance = square_sum[SQUARE_SUM_BASE + index] / n;
    }
    mean[MEAN_BASE + index] = average;
    inverse_deviation[INVERSE_DEVIATION_BASE + index] = inverseSqrt(variance + EPSILON);
}
