// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/guarded.wgsl

// clip_by_value: g <- min(max(g, -LIMIT), LIMIT) in place, by comparisons, so that a NaN stays one. Where the step is
// guarded, what is infinite stays so too: the update that follows is to see it (shared/tripwire.wgsl).
// One invocation per Real.
//
// gradient [len]

@group(0) @binding(0) var<storage, read_write> gradient: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let g = gradient[GRADIENT_BASE + index];
    let above = select(g, Real(-LIMIT), g < Real(-LIMIT));
    let clipped = select(above, Real(LIMIT), g > Real(LIMIT));
    gradient[GRADIENT_BASE + index] = followed(g, g, clipped);
}
