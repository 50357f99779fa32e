// import shared/linear_index.wgsl
// import shared/batch.wgsl
// import shared/guarded.wgsl
// import shared/tripwire.wgsl

// moving_average, after an update of the parameters:
//   average <- average * m + parameter * (1 - m), with m = MOMENTUM, and 0 at the first step
//   parameter <- average, after each FREQUENCY steps where OVERWRITES
// Unless the tripwire (shared/tripwire.wgsl) forbids it. REST is 1 - MOMENTUM. One invocation per Real.
//
// loss      [_], of which only element `slot` is read
// tripwire  [1]
// average   [len]
// parameter [len]

@group(0) @binding(0) var<storage, read> loss: array<f32>;
@group(0) @binding(1) var<storage, read_write> tripwire: array<atomic<u32>>;
@group(0) @binding(2) var<storage, read_write> average: array<Real>;
@group(0) @binding(3) var<storage, read_write> parameter: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS || held() {
        return;
    }
    let w = parameter[PARAMETER_BASE + index];
    let mean = average[AVERAGE_BASE + index] * MOMENTUM + w * REST;
    // Not a product with 0: the first average is the weight whatever was there.
    let after = select(mean, w, batch.number == 0u);
    average[AVERAGE_BASE + index] = after;
    if OVERWRITES && (batch.number + 1u) % FREQUENCY == 0u {
        parameter[PARAMETER_BASE + index] = after;
    }
}
