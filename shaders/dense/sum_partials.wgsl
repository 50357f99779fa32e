// import shared/{alone,together}.wgsl

// sum_partials: sum[i] = partial[0, i] + partial[1, i] + ..., in this order, or in that of shared/together.wgsl.
// One sum per Real (shared/alone.wgsl, shared/together.wgsl).
//
// partial [PARTS, LEN]
// sum     [LEN]

@group(0) @binding(0) var<storage, read> partial: array<Real>;
@group(0) @binding(1) var<storage, read_write> sum: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = sum_of(group, local);
    if is_idle(index) {
        return;
    }
    var total = Real();
    for (var part = share_of(local); part < PARTS; part += SHARES) {
        total += partial[PARTIAL_BASE + part * (LEN / WIDTH) + index];
    }
    total = together(total, local);
    if writes_sum(group, local) {
        sum[SUM_BASE + index] = total;
    }
}
