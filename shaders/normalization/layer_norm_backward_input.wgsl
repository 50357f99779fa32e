// import shared/linear_index.wgsl

// layer_norm_backward_input: dx[r, c] = inverse_deviation[r] * (g - (gradient_mean[r] + z * product_mean[r])) in place of dy, with
// g = (gamma[c] + UNIT) * dy[r, c] and z = (x[r, c] - mean[r]) * inverse_deviation[r]. UNIT is 1 where zeros are given for gamma.
// One invocation per Real.
//
// x                 [ROWS, COLUMNS]
// mean              [ROWS]
// inverse_deviation [ROWS]
// gamma             [COLUMNS]
// gradient_mean     [ROWS]
// product_mean      [ROWS]
// dy                [ROWS, COLUMNS]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read> mean: array<f32>;
@group(0) @binding(2) var<storage, read> inverse_deviation: array<f32>;
@group(0) @binding(3) var<storage, read> gamma: array<Real>;
@group(0) @binding(4) var<storage, read> gradient_mean: array<f32>;
@group(0) @binding(5) var<storage, read> product_mean: array<f32>;
@group(0) @binding(6) var<storage, read_write> dy: array<Real>;

const REALS = COLUMNS / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let r = index / REALS;
    let c = index % REALS;
    let inverse = inverse_deviation[INVERSE_DEVIATION_BASE + r];
    let g = (gamma[GAMMA_BASE + c] + UNIT) * dy[DY_BASE + index];
    let z = (x[X_BASE + index] - mean[MEAN_BASE + r]) * inverse;
    dy[DY_BASE + index] = inverse * (g - (gradient_mean[GRADIENT_MEAN_BASE + r] + z * product_mean[PRODUCT_MEAN_BASE + r]));
}
