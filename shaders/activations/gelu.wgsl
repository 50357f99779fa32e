// Below this the share is 1/2 and what lies between 0 and x, which keeps its roundings small.
const NEAR = 1.0;

// exp(a^2 / 2) * erfc(a / sqrt(2)) / 2 for a >= 0: the upper tail of the normal distribution over its exponential. WGSL has no erf.
// With t = 1 / (1 + 17/64 a) it is t times a polynomial of t, the one whose largest relative error for a <= 13.5 is smallest, its
// coefficients rounded to f32: 3e-8. Beyond, the exponential is 0 in f32.
fn scaled_tail(a: Real) -> Real {
    let t = 1.0 / (1.0 + 0.265625 * a);
    let high = 0.13419136 + t * (-0.11062538 + t * (0.21215631 + t * (-0.14231087 + t * 0.030669857)));
    return t * (0.1059887 + t * (0.105537005 + t * (0.10257355 + t * (0.061819475 + t * high))));
}

// erf(x / sqrt(2)) / (2x) for |x| < NEAR: the polynomial of x^2 whose largest relative error there is smallest, its coefficients
// rounded to f32: 3.5e-8.
fn center(x: Real) -> Real {
    let square = x * x;
    let high = -0.00118633 + square * (0.00011348639 + square * -7.654208e-6);
    return 0.3989423 + square * (-0.06649036 + square * (0.009973323 + square * high));
}

// The share p of the normal distribution below x, e being exp(-x^2 / 2). Far out it is the tail on the side of x, so that small shares
// are as exact as large ones.
fn share_below(x: Real, e: Real) -> Real {
    let tail = e * scaled_tail(abs(x));
    let far = select(tail, 1.0 - tail, x >= Real());
    return select(far, 0.5 + x * center(x), abs(x) < Real(NEAR));
}

// y = x * p.
fn activation(x: Real) -> Real {
    return x * share_below(x, exp(-0.5 * x * x));
}

// dx = dy * (p + x * exp(-x^2 / 2) / sqrt(2 pi)), by the input x: y falls and rises.
fn activation_gradient(x: Real, dy: Real) -> Real {
    let e = exp(-0.5 * x * x);
    return dy * (share_below(x, e) + x * (e * DENSITY));
}
