// import shared/linear_index.wgsl
// import shared/batch.wgsl

// batch_norm_forward: y[r, c] = (x[r, c] - mean[c]) * (inverse_deviation[c] * (gamma[c] + UNIT)) + beta[c], and zeros in the rows
// past the batch's samples. UNIT is 1 where zeros are given for gamma.
// One invocation per Real.
//
// x                 [ROWS, COLUMNS]
// mean              [COLUMNS]
// inverse_deviation [COLUMNS]
// gamma             [COLUMNS]
// beta              [COLUMNS]
// y                 [ROWS, COLUMNS]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read> mean: array<Real>;
@group(0) @binding(2) var<storage, read> inverse_deviation: array<Real>;
@group(0) @binding(3) var<storage, read> gamma: array<Real>;
@group(0) @binding(4) var<storage, read> beta: array<Real>;
@group(0) @binding(5) var<storage, read_write> y: array<Real>;

const REALS = COLUMNS / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let c = index % REALS;
    let factor = inverse_deviation[INVERSE_DEVIATION_BASE + c] * (gamma[GAMMA_BASE + c] + UNIT);
    var value = (x[X_BASE + index] - mean[MEAN_BASE + c]) * factor + beta[BETA_BASE + c];
    if index / REALS >= batch.batch_size * POSITIONS {
        value = Real();
    }
    y[Y_BASE + index] = value;
}
