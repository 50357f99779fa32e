// adam_update, after weight decay (shared/weight_decay.wgsl), with the formula of Keras (epsilon outside the root):
//   m <- m + (1 - beta_1)*(g - m)
//   v <- v + (1 - beta_2)*(g^2 - v)
//   w <- w - m * (learning_rate*correction) / (sqrt(v) + epsilon)
// where the host has computed correction = sqrt(1 - beta_2^t) / (1 - beta_1^t) for the t-th step.
// One invocation per Real.
//
// gradient  [LEN]
// state     [2, LEN]: m, then v
// parameter [LEN]

@group(0) @binding(0) var<storage, read> gradient: array<Real>;
@group(0) @binding(1) var<storage, read_write> state: array<Real>;
@group(0) @binding(2) var<storage, read_write> parameter: array<Real>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let m_place = STATE_BASE + index;
    let v_place = m_place + LEN / WIDTH;
    let g = gradient[GRADIENT_BASE + index];
    let m = state[m_place] + (g - state[m_place]) * ONE_MINUS_BETA_1;
    let v = state[v_place] + (g * g - state[v_place]) * ONE_MINUS_BETA_2;
    state[m_place] = m;
    state[v_place] = v;
    let alpha = step.learning_rate * step.correction;
    let w = decayed(parameter[PARAMETER_BASE + index]);
    parameter[PARAMETER_BASE + index] = w - m * alpha / (sqrt(v) + EPSILON);
}
