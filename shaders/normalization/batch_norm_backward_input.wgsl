// import shared/linear_index.wgsl
// import shared/batch.wgsl

// batch_norm_backward_input: dx[r, c] = f * (dy[r, c] - (d_beta[c] + z * d_gamma[c]) / n) in place of dy, with
// f = (gamma[c] + UNIT) * inverse_deviation[c] and z = (x[r, c] - mean[c]) * inverse_deviation[c], over the n rows of true samples, and
// zeros in the rows past them; where the layer is not TRAINED, f * dy[r, c]. UNIT is 1 where zeros are given for gamma.
// One invocation per Real.
//
// x                 [ROWS, COLUMNS]
// mean              [COLUMNS]
// inverse_deviation [COLUMNS]
// gamma             [COLUMNS]
// d_beta            [COLUMNS]
// d_gamma           [COLUMNS]
// dy                [ROWS, COLUMNS]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read> mean: array<Real>;
@group(0) @binding(2) var<storage, read> inverse_deviation: array<Real>;
@group(0) @binding(3) var<storage, read> gamma: array<Real>;
@group(0) @binding(4) var<storage, read> d_beta: array<Real>;
@group(0) @binding(5) var<storage, read> d_gamma: array<Real>;
@group(0) @binding(6) var<storage, read_write> dy: array<Real>;

const REALS = COLUMNS / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let c = index % REALS;
    let inverse = inverse_deviation[INVERSE_DEVIATION_BASE + c];
    let factor = (gamma[GAMMA_BASE + c] + UNIT) * inverse;
    var gradient = dy[DY_BASE + index];
    if TRAINED {
        let true_rows = batch.batch_size * POSITIONS;
        let z = (x[X_BASE + index] - mean[MEAN_BASE + c]) * inverse;
        gradient -= (d_beta[D_BETA_BASE + c] + z * d_gamma[D_GAMMA_BASE + c]) / f32(true_rows);
        if index / REALS >= true_rows {
            gradient = Real();
        }
    }
    dy[DY_BASE + index] = factor * gradient;
}
