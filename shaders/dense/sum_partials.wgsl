// import shared/linear_index.wgsl

// sum_partials: sum[i] = partial[0, i] + partial[1, i] + ..., in this order.
// One invocation per Real of the sum.
//
// partial [PARTS, LEN]
// sum     [LEN]

@group(0) @binding(0) var<storage, read> partial: array<Real>;
@group(0) @binding(1) var<storage, read_write> sum: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    var total = Real();
    for (var part = 0u; part < PARTS; part++) {
        total += partial[PARTIAL_BASE + part * (LEN / WIDTH) + index];
    }
    sum[SUM_BASE + index] = total;
}
