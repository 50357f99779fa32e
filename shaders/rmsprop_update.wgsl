// rmsprop_update, with the formula of Keras (epsilon inside the root):
//   v <- rho*v + (1 - rho)*g^2
//   d <- v;  when CENTERED:  a <- rho*a + (1 - rho)*g,  d <- v - a^2
//   u <- learning_rate * g / sqrt(d + epsilon)
//   w <- w - u;  when WITH_MOMENTUM:  m <- momentum*m + u,  w <- w - m
// One invocation per Real.
//
// gradient  [LEN]
// state     [slots, LEN]: v, then m when WITH_MOMENTUM, then a when CENTERED
// parameter [LEN]

@group(0) @binding(0) var<storage, read> gradient: array<Real>;
@group(0) @binding(1) var<storage, read_write> state: array<Real>;
@group(0) @binding(2) var<storage, read_write> parameter: array<Real>;

const REALS = LEN / WIDTH;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
    let index = linear_index(group, local);
    if index >= INVOCATIONS {
        return;
    }
    let g = gradient[GRADIENT_BASE + index];
    let v = RHO * state[STATE_BASE + index] + ONE_MINUS_RHO * (g * g);
    state[STATE_BASE + index] = v;
    var d = v;
    if CENTERED {
        let place = STATE_BASE + A_SLOT * REALS + index;
        let a = RHO * state[place] + ONE_MINUS_RHO * g;
        state[place] = a;
        d -= a * a;
    }
    var u = step.learning_rate * g / sqrt(d + EPSILON);
    if WITH_MOMENTUM {
        let place = STATE_BASE + M_SLOT * REALS + index;
        u += MOMENTUM * state[place];
        state[place] = u;
    }
    parameter[PARAMETER_BASE + index] -= u;
}
