// import shared/linear_index.wgsl

// layer_norm_forward: y[r, c] = (x[r, c] - mean[r]) * (inverse_deviation[r] * (gamma[c] + UNIT)) + beta[c]. UNIT is 1 where zeros are
// given for gamma.
// One invocation per Real.
//
// x                 [ROWS, COLUMNS]
// mean              [ROWS]
// inverse_deviation [ROWS]
// gamma             [COLUMNS]
// beta              [COLUMNS]
// y                 [ROWS, COLUMNS]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read> mean: array<f32>;
@group(0) @binding(2) var<storage, read> inverse_deviation: array<f32>;
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
    let r = index / REALS;
    let c = index % REALS;
    let factor = inverse_deviation[INVERSE_DEVIATION_BASE + r] * (gamma[GAMMA_BASE + c] + UNIT);
    y[Y_BASE + index] = (x[X_BASE + index] - mean[MEAN_BASE + r]) * factor + beta[BETA_BASE + c];
}
