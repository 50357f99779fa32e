// sgd_update: w <- w - learning_rate * g, after weight decay (shared/weight_decay.wgsl). One invocation per Real.
//
// gradient  [len]
// parameter [len]

@group(0) @binding(0) var<storage, read> gradient: array<Real>;
@group(0) @binding(1) var<storage, read_write> parameter: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let u = step.learning_rate * gradient[GRADIENT_BASE + index];
    parameter[PARAMETER_BASE + index] = decayed(parameter[PARAMETER_BASE + index]) - u;
}
