// sgd_momentum_update, after weight decay (shared/weight_decay.wgsl):
//   m <- MOMENTUM*m - learning_rate*g
//   w <- w + m;  when NESTEROV:  w <- w + MOMENTUM*m - learning_rate*g
// One invocation per Real.
//
// gradient  [len]
// state     [1, len]: m
// parameter [len]

@group(0) @binding(0) var<storage, read> gradient: array<Real>;
@group(0) @binding(1) var<storage, read_write> state: array<Real>;
@group(0) @binding(2) var<storage, read_write> parameter: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let u = step.learning_rate * gradient[GRADIENT_BASE + index];
    let m = MOMENTUM * state[STATE_BASE + index] - u;
    state[STATE_BASE + index] = m;
    let w = decayed(parameter[PARAMETER_BASE + index]);
    if NESTEROV {
        parameter[PARAMETER_BASE + index] = w + (MOMENTUM * m - u);
    } else {
        parameter[PARAMETER_BASE + index] = w + m;
    }
}
