// import shared/linear_index.wgsl
// import shared/horizontal_{scalar,vec4}.wgsl

// layer_norm_statistics: mean[r] = sum_c x[r, c] / COLUMNS and
// inverse_deviation[r] = 1 / sqrt(sum_c (x[r, c] - mean[r])^2 / COLUMNS + EPSILON).
// One invocation per row.
//
// x                 [ROWS, COLUMNS]
// mean              [ROWS]
// inverse_deviation [ROWS]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read_write> mean: array<f32>;
@group(0) @binding(2) var<storage, read_write> inverse_deviation: array<f32>;

const REALS = COLUMNS / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let r = linear_index(group, local);
    if r >= INVOCATIONS {
        return;
    }
    let row = X_BASE + r * REALS;
    var sum = Real();
    for (var c = 0u; c < REALS; c++) {
        sum += x[row + c];
    }
    let average = horizontal(sum) / f32(COLUMNS);
    var squares = Real();
    for (var c = 0u; c < REALS; c++) {
        let distance = x[row + c] - average;
        squares += distance * distance;
    }
    mean[MEAN_BASE + r] = average;
    inverse_deviation[INVERSE_DEVIATION_BASE + r] = inverseSqrt(horizontal(squares) / f32(COLUMNS) + EPSILON);
}
