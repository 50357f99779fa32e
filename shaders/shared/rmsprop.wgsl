// RMSprop of one Real, after weight decay (weight_decay.wgsl), with the formula of Keras (epsilon inside the root):
//   v <- rho*v + (1 - rho)*g^2
//   d <- v;  when CENTERED:  a <- rho*a + (1 - rho)*g,  d <- v - a^2
//   u <- learning_rate * g / sqrt(d + epsilon)
//   w <- w - u;  when WITH_MOMENTUM:  m <- momentum*m + u,  w <- w - m
struct Weight {
    w: Real,
    v: Real,
    m: Real,
    a: Real,
}

// Under a gradient that is not finite all stays as it is (tripwire.wgsl).
fn rmsprop(g: Real, before: Weight) -> Weight {
    var after = before;
    after.v = RHO * before.v + ONE_MINUS_RHO * (g * g);
    var d = after.v;
    if CENTERED {
        after.a = RHO * before.a + ONE_MINUS_RHO * g;
        d -= after.a * after.a;
    }
    var u = batch.learning_rate * g / sqrt(d + EPSILON);
    if WITH_MOMENTUM {
        u += MOMENTUM * before.m;
        after.m = u;
    }
    after.w = decayed(before.w) - u;
    watch(g);
    return Weight(
        followed(g, before.w, after.w),
        followed(g, before.v, after.v),
        followed(g, before.m, after.m),
        followed(g, before.a, after.a),
    );
}
