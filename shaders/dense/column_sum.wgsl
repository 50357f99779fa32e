// import shared/{alone,together}.wgsl

// column_sum: sum[c] = sum_r x[r, c], in parts: partial[s] sums the s-th range of TERMS_PER_PART rows.
// One sum per part and Real of columns (shared/alone.wgsl, shared/together.wgsl).
//
// x       [ROWS, COLUMNS]
// partial [PARTS, COLUMNS]

@group(0) @binding(0) var<storage, read> x: array<Real>;
@group(0) @binding(1) var<storage, read_write> partial: array<Real>;

const REALS = COLUMNS / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = sum_of(group, local);
    if is_idle(index) {
        return;
    }
    let c = index % REALS;
    let part = index / REALS;
    let first = part * TERMS_PER_PART;
    let end = min(first + TERMS_PER_PART, ROWS);
    var total = Real();
    for (var r = first + share_of(local); r < end; r += SHARES) {
        total += x[X_BASE + r * REALS + c];
    }
    total = together(total, local);
    if writes_sum(group, local) {
        partial[PARTIAL_BASE + index] = total;
    }
}
