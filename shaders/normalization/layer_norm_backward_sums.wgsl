// import shared/linear_index.wgsl
// import shared/horizontal_{scalar,vec4}.wgsl

// layer_norm_backward_sums: gradient_mean[r] = sum_c g / COLUMNS and product_mean[r] = sum_c g * z / COLUMNS with
// g = (gamma[c] + UNIT) * dy[r, c] and z = (x[r, c] - mean[r]) * inverse_deviation[r]. UNIT is 1 where zeros are given for gamma.
// One invocation per row.
//
// x                 [ROWS, COLUMNS]
// mean              [ROWS]
// inverse_deviation [ROWS]
// gamma             [COLUMNS]
// dy                [ROWS, COLUMNS]
// gradient_mean     [ROWS]
// product_mean      [ROWS]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read> mean: array<f32>;
@group(0) @binding(2) var<storage, read> inverse_deviation: array<f32>;
@group(0) @binding(3) var<storage, read> gamma: array<Real>;
@group(0) @binding(4) var<storage, read> dy: array<Real>;
@group(0) @binding(5) var<storage, read_write> gradient_mean: array<f32>;
@group(0) @binding(6) var<storage, read_write> product_mean: array<f32>;

const REALS = COLUMNS / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let r = linear_index(group, local);
    if r >= INVOCATIONS {
        return;
    }
    let average = mean[MEAN_BASE + r];
    let inverse = inverse_deviation[INVERSE_DEVIATION_BASE + r];
    var gradients = Real();
    var products = Real();
    for (var c = 0u; c < REALS; c++) {
        let g = (gamma[GAMMA_BASE + c] + UNIT) * dy[DY_BASE + r * REALS + c];
        gradients += g;
        products += g * ((x[X_BASE + r * REALS + c] - average) * inverse);
    }
    gradient_mean[GRADIENT_MEAN_BASE + r] = horizontal(gradients) / f32(COLUMNS);
    product_mean[PRODUCT_MEAN_BASE + r] = horizontal(products) / f32(COLUMNS);
}
