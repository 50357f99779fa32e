// import shared/{alone,together}.wgsl

// sum_partials_bias: y[r, c] = bias[c] + (partial[0, r, c] + partial[1, r, c] + ...), and max(y, 0) where ReLU is asked for.
// One sum per Real of y (shared/alone.wgsl, shared/together.wgsl).
//
// partial [PARTS, ROWS, COLUMNS]
// bias    [COLUMNS]
// y       [ROWS, COLUMNS]

@group(0) @binding(0) var<storage, read> partial: array<Real>;
@group(0) @binding(1) var<storage, read> bias: array<Real>;
@group(0) @binding(2) var<storage, read_write> y: array<Real>;

const COLUMN_REALS = COLUMNS / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = sum_of(group, local);
    if is_idle(index) {
        return;
    }
    var sum = Real();
    for (var part = share_of(local); part < PARTS; part += SHARES) {
        sum += partial[PARTIAL_BASE + part * ROWS * COLUMN_REALS + index];
    }
    sum = together(sum, local);
    if !writes_sum(group, local) {
        return;
    }
    sum += bias[BIAS_BASE + index % COLUMN_REALS];
    if RELU {
        sum = select(sum, Real(), sum <= Real());
    }
    y[Y_BASE + index] = sum;
}
