// import shared/{alone,together}.wgsl
// import shared/batch.wgsl

// batch_norm_squares: square_sum[c] = sum_r (x[r, c] - sum[c]/n)^2 over the n rows of true samples, in parts: partial[s] sums the
// s-th range of TERMS_PER_PART rows. Zeros where nothing is trained.
// One sum per part and Real of columns (shared/alone.wgsl, shared/together.wgsl).
//
// x       [ROWS, COLUMNS]
// sum     [COLUMNS]
// partial [PARTS, COLUMNS]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read> sum: array<Real>;
@group(0) @binding(2) var<storage, read_write> partial: array<Real>;

const REALS = COLUMNS / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = sum_of(group, local);
    if is_idle(index) {
        return;
    }
    let c = index % REALS;
    let first = index / REALS * TERMS_PER_PART;
    let true_rows = batch.batch_size * POSITIONS;
    let end = min(min(first + TERMS_PER_PART, ROWS), batch.training * true_rows);
    let mean = sum[SUM_BASE + c] / f32(true_rows);
    var total = Real();
    for (var r = first + share_of(local); r < end; r += SHARES) {
        let distance = x[X_BASE + r * REALS + c] - mean;
        total += distance * distance;
    }
    total = together(total, local);
    if writes_sum(group, local) {
        partial[PARTIAL_BASE + index] = total;
    }
}
