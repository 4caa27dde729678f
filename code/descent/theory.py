"""Predictions in closed form: one line of code per derived equation.

A label at the end of a line, such as (3.2), is the number of that equation
in the book; the first number is the chapter.  All functions broadcast.  The
simulations that these predict run in the chapters and in the tests.
"""

from math import comb

import numpy as np

# ---- chapter 1: one rate must serve every coordinate ----------------------


def eigen_coordinate(t, alpha, lam, c0):
    """Gradient descent on ½ θᵀHθ, in the coordinates c_i = u_iᵀθ.

    c_{i,t} = (1 − α λ_i)^t c_{i,0}                                     (1.1)

    lam, c0 : eigenvalues and start, shape (..., d); t and alpha broadcast

    >>> eigen_coordinate(2, 0.5, np.array([1.0, 4.0]), np.array([8.0, 8.0]))
    array([2., 8.])
    """
    return (1 - alpha * lam) ** t * c0  # (1.1)


def height(t, alpha, lam, c0):
    """f(θ_t) for gradient descent on ½ θᵀHθ.

    f(θ_t) = ½ Σ_i λ_i (1 − α λ_i)^{2t} c_{i,0}²                        (1.2)

    lam, c0 : eigenvalues and start, shape (..., d); t and alpha broadcast
    against them, so an array of them ends in an axis of length 1

    >>> float(height(1, 0.5, np.array([1.0, 4.0]), np.array([2.0, 1.0])))
    2.5
    """
    return 0.5 * (lam * (1 - alpha * lam) ** (2 * t) * c0**2).sum(-1)  # (1.2)


def largest_stable_rate(lam_max):
    """Gradient descent goes to the minimum from every start below this rate.

    α < 2 / λ_max                                                       (1.3)

    >>> largest_stable_rate(1000.0)
    0.002
    """
    return 2 / lam_max  # (1.3)


def worst_factor(alpha, lam_min, lam_max):
    """The share of its distance from the minimum that θ keeps, at worst.

    q(α) = max_i |1 − α λ_i| = max(1 − α λ_min, α λ_max − 1)            (1.4)

    >>> float(worst_factor(0.25, 1.0, 4.0))
    0.75
    """
    return np.maximum(1 - alpha * lam_min, alpha * lam_max - 1)  # (1.4)


def best_rate(lam_min, lam_max):
    """The rate with the smallest worst-case factor.

    α* = 2 / (λ_min + λ_max)                                            (1.5)

    >>> best_rate(1.0, 3.0)
    0.5
    """
    return 2 / (lam_min + lam_max)  # (1.5)


def best_factor(kappa):
    """The smallest worst-case factor, for the condition number κ.

    q* = (κ − 1) / (κ + 1),  κ = λ_max / λ_min                          (1.6)

    >>> best_factor(3.0)
    0.5
    """
    return (kappa - 1) / (kappa + 1)  # (1.6)


def steps_at_best_rate(kappa, f0, tol):
    """Steps to f < tol at the rate α*, two eigenvalues, f0 ≥ tol.

    T = ⌊ln(f0/tol) / (−2 ln q*)⌋ + 1, q* from (1.6)                    (1.7)

    With more eigenvalues it is an upper bound.

    >>> float(steps_at_best_rate(3.0, 1.0, 0.1))
    2.0
    """
    q = best_factor(kappa)
    return np.floor(np.log(f0 / tol) / (-2 * np.log(q))) + 1  # (1.7)


def steps_proportional_to_kappa(kappa, f0, tol):
    """The same for large κ, not rounded.

    T ≈ (κ/4) ln(f0/tol)                                                (1.8)

    >>> float(round(steps_proportional_to_kappa(400.0, np.e, 1.0), 6))
    100.0
    """
    return kappa / 4 * np.log(f0 / tol)  # (1.8)


def rate_in_old_units(alpha, s):
    """The rate of a weight on x that a rate α of its weight on x/s amounts to.

    α_j = α / s_j²                                                      (1.9)

    >>> rate_in_old_units(0.5, 2.0)
    0.125
    """
    return alpha / s**2  # (1.9)


# ---- chapter 2: an average that forgets -----------------------------------


def minibatch_variance(sigma2, B):
    """Variance of a minibatch gradient, drawn with replacement.

    Var[g] = σ² / B                                                     (2.1)

    sigma2 : σ², the variance of one example's gradient over the data
    B : examples in the minibatch

    >>> float(minibatch_variance(8.0, 4))
    2.0
    """
    return sigma2 / B  # (2.1)


def minibatch_variance_without(sigma2, B, N):
    """The same where no example is drawn twice.

    Var[g] = σ² / B · (N − B) / (N − 1)                                 (2.2)

    N : examples in the data

    >>> float(minibatch_variance_without(8.0, 4, 4))
    0.0
    """
    return sigma2 / B * (N - B) / (N - 1)  # (2.2)


def minibatch_second_moment(mean, sigma2, B):
    """Mean square of a minibatch gradient: signal and noise.

    E[g²] = (∂f/∂θ)² + σ² / B                                           (2.3)

    mean : ∂f/∂θ, the gradient on all the data

    >>> float(minibatch_second_moment(3.0, 8.0, 4))
    11.0
    """
    return mean**2 + sigma2 / B  # (2.3)


def exponential_average(x, beta, m0=0.0):
    """The average that forgets, after each entry of `x`.

    m_t = β m_{t−1} + (1 − β) x_t                                       (2.4)

    x : the entries x_1 … x_t, shape (t, ...)
    beta : broadcasts with one entry
    Returns m_1 … m_t, time on the leading axis.

    >>> exponential_average([4.0, 4.0, 4.0], 0.5)
    array([2. , 3. , 3.5])
    """
    m, path = m0, []
    for x_t in np.asarray(x):
        m = beta * m + (1 - beta) * x_t  # (2.4)
        path.append(m)
    return np.array(path)


def unrolled_average(x, beta, m0=0.0):
    """m_t after all of `x`, as a weighted sum of its entries.

    m_t = β^t m_0 + (1 − β) Σ_{k=0}^{t−1} β^k x_{t−k}                   (2.5)

    x : the entries x_1 … x_t, shape (t, ...)

    >>> float(unrolled_average([4.0, 4.0, 4.0], 0.5))
    3.5
    """
    t, past = len(x), np.asarray(x)[::-1]  # past[k] = x_{t-k}
    weights = beta ** np.arange(t)
    return beta**t * m0 + (1 - beta) * np.tensordot(weights, past, 1)  # (2.5)


def weight_of_last(n, beta):
    """What the n newest entries weigh together.

    (1 − β) Σ_{k=0}^{n−1} β^k = 1 − β^n                                 (2.6)

    With n = t this is `mass`, (3.6): chapter 3 derives it a second time, for
    readers who begin there.

    n : a number of steps; between whole numbers the formula interpolates

    >>> float(weight_of_last(2, 0.5))
    0.75
    """
    return 1 - beta**n  # (2.6)


def half_life(beta):
    """Steps in which a weight halves; the newest ones that weigh one half.

    h = ln 2 / (−ln β)                                                  (2.7)

    >>> float(half_life(0.5))
    1.0
    """
    return np.log(2) / -np.log(beta)  # (2.7)


def weight_of_window(beta):
    """What the newest 1/(1 − β) entries weigh together.

    1 − β^{1/(1−β)} → 1 − 1/e as β → 1                                  (2.8)

    >>> float(weight_of_window(0.5))
    0.75
    """
    return 1 - beta ** (1 / (1 - beta))  # (2.8)


def mean_age(beta):
    """The mean age of what the average holds, the newest having age 0.

    Σ_{k=0}^∞ k (1 − β) β^k = β / (1 − β)                               (2.9)

    >>> float(mean_age(0.75))
    3.0
    """
    return beta / (1 - beta)  # (2.9)


def lag_on_ramp(t, beta):
    """How many steps m_t is behind the ramp x_t = c t, from m_0 = 0.

    m_t = c (t − L_t),  L_t = β (1 − β^t) / (1 − β)                    (2.10)

    >>> float(lag_on_ramp(2, 0.5))
    0.75
    """
    return beta * (1 - beta**t) / (1 - beta)  # (2.10)


def variance_factor(t, beta):
    """Var[m_t] over Var[x], for independent entries of the same variance.

    (1 − β) / (1 + β) · (1 − β^{2t})  →  (1 − β) / (1 + β)             (2.11)

    t : a number of steps; np.inf gives the limit

    >>> float(variance_factor(np.inf, 0.6))
    0.25
    """
    return (1 - beta) / (1 + beta) * (1 - beta ** (2 * t))  # (2.11)


def plain_mean_length(beta):
    """The plain mean of so many newest entries has the same noise and age.

    n = (1 + β) / (1 − β)                                              (2.12)

    >>> float(plain_mean_length(0.5))
    3.0
    """
    return (1 + beta) / (1 - beta)  # (2.12)


# ---- chapter 3: deriving RMSprop ------------------------------------------


def adagrad_step(t):
    """AdaGrad's t-th step on a constant gradient, in units of α (ε = 0).

    |Δ_t|/α = 1/√t                                                      (3.1)

    >>> float(adagrad_step(4))
    0.5
    """
    return 1 / np.sqrt(t)  # (3.1)


def unrolled_second_moment(g, beta2):
    """v_t after all of `g`, from v_0 = 0.

    v_t = (1 − β₂) Σ_{k=0}^{t−1} β₂^k g_{t−k}²                          (3.2)

    g : the gradients g_1 … g_t, shape (t, ...)

    >>> float(unrolled_second_moment(np.array([2.0, 2.0]), 0.5))
    3.0
    """
    g = np.asarray(g)
    weights = beta2 ** np.arange(len(g))
    return (1 - beta2) * np.tensordot(weights, g[::-1] ** 2, 1)  # (3.2)


def second_moment_on_cycle(beta2, g):
    """v_t at each step of a cycle of gradients that repeats for ever.

    v_j = (1 − β₂) / (1 − β₂^n) · Σ_{k=0}^{n−1} β₂^k g_{j−k}²           (3.3)
    with indices modulo n.

    beta2 : decay rate in (0, 1), shape (...)
    g : one cycle, shape (n,)
    Returns shape (..., n), in the order of `g`.

    >>> second_moment_on_cycle(0.5, np.array([2.0, 2.0]))
    array([4., 4.])
    """
    n = len(g)
    k, beta2 = np.arange(n), np.asarray(beta2)[..., None, None]
    past = g[(k[:, None] - k) % n] ** 2  # past[j, k] = g_{j-k}²
    return ((1 - beta2) / (1 - beta2**n) * beta2**k * past).sum(-1)  # (3.3)


def drift_on_cycle(beta2, g):
    """RMSprop's drift D over one cycle in units of α (ε = 0).

    D/α = − Σ_j g_j / √v_j, v_j from (3.3)                              (3.4)

    >>> abs(float(drift_on_cycle(0.5, np.array([2.0, -2.0]))))
    0.0
    """
    return -(g / np.sqrt(second_moment_on_cycle(beta2, g))).sum(-1)  # (3.4)


def drift_to_first_order(beta2, g):
    """The same for a cycle that sums to zero, to first order in 1 − β₂.

    D/α ≈ (1 − β₂) / (2 v̄^{3/2}) · Σ_j g_j w_j                           (3.5)
    w_j = Σ_{k=0}^{n−1} ((n−1)/2 − k) g_{j−k}² / n, v̄ the mean of g²

    >>> hinton = np.array([0.1] * 9 + [-0.9])
    >>> float(round(drift_to_first_order(0.99, hinton), 6))
    -0.066667
    """
    n, v_bar = len(g), np.mean(g**2)
    k = np.arange(n)
    w = (((n - 1) / 2 - k) * g[(k[:, None] - k) % n] ** 2).mean(-1)
    return (1 - beta2) / (2 * v_bar**1.5) * (g * w).sum()  # (3.5)


def mass(t, beta):
    """The sum of the weights of an exponential average after t entries.

    (1 − β) Σ_{k=0}^{t−1} β^k = 1 − β^t                                 (3.6)

    It is `weight_of_last`, (2.6), for n = t: all the weight there is.

    >>> float(mass(2, 0.5))
    0.75
    """
    return 1 - beta**t  # (3.6)


def rmsprop_step(t, beta2):
    """RMSprop's t-th step on a constant gradient, in units of α (ε = 0).

    |Δ_t|/α = 1/√(1 − β₂^t)                                             (3.7)

    At t = 1 this is 1/√(1 − β₂), the largest step that RMSprop can make.

    >>> float(rmsprop_step(1, 0.75))
    2.0
    """
    return 1 / np.sqrt(1 - beta2**t)  # (3.7)


def largest_rmsprop_step(beta2):
    """No step of RMSprop is longer than this, in units of α.

    |Δ_t|/α ≤ 1/√(1 − β₂)                                               (3.8)

    >>> float(largest_rmsprop_step(0.75))
    2.0
    """
    return 1 / np.sqrt(1 - beta2)  # (3.8)


# ---- chapter 4: RMSprop remembers, one-sidedly ----------------------------


def second_moment_after_jump(k, r, beta2):
    """v after k gradients of size r, where they had long been of size 1.

    v_k = r² + (1 − r²) β₂^k                                            (4.1)

    >>> float(second_moment_after_jump(1, 0.0, 0.5))
    0.5
    """
    return r**2 + (1 - r**2) * beta2**k  # (4.1)


def speed_after_jump(k, r, beta2):
    """RMSprop's k-th step after the jump, in units of α (ε = 0).

    |Δ_k|/α = r / √v_k, v_k from (4.1)                                  (4.2)

    >>> float(speed_after_jump(1, 2.0, 0.75))
    1.5118578920369088
    """
    return r / np.sqrt(second_moment_after_jump(k, r, beta2))  # (4.2)


def steps_to_half_speed(r, beta2):
    """The k, not rounded, at which RMSprop is back at half speed.

    k_½ = ln((1 − r²) / 3r²) / (−ln β₂), after a fall by r < ½          (4.3)

    Negative for r > ½: the speed never falls below one half.

    >>> round(float(steps_to_half_speed(0.01, 0.99)), 2)
    807.1
    """
    return np.log((1 - r**2) / (3 * r**2)) / -np.log(beta2)  # (4.3)


def first_step_after_jump(R, beta2):
    """RMSprop's first step after gradients grow by R, in units of α (ε = 0).

    |Δ_1|/α = R / √(β₂ + (1 − β₂) R²)  →  1/√(1 − β₂)                   (4.4)

    >>> float(first_step_after_jump(1.0, 0.9))
    1.0
    """
    return R / np.sqrt(beta2 + (1 - beta2) * R**2)  # (4.4)


def steps_to_excess(c, R, beta2):
    """The k, not rounded, at which the speed is down to 1 + c after a rise.

    k_c = ln((1 − R⁻²) / (1 − (1 + c)⁻²)) / (−ln β₂)                    (4.5)

    Negative for R < 1 + c: the speed is never so large.

    >>> round(float(steps_to_excess(1.0, 100.0, 0.99)), 2)
    28.61
    """
    return np.log((1 - 1 / R**2) / (1 - 1 / (1 + c) ** 2)) / -np.log(beta2)  # (4.5)


def second_moment_after_spike(k, H, beta2):
    """v at k steps after one gradient of size H among gradients of size 1.

    v_k = 1 + (1 − β₂) (H² − 1) β₂^k                                    (4.6)

    >>> float(second_moment_after_spike(0, 3.0, 0.5))
    5.0
    """
    return 1 + (1 - beta2) * (H**2 - 1) * beta2**k  # (4.6)


def steps_after_spike(H, beta2):
    """The k, not rounded, at which RMSprop is back at half speed.

    k_½ = ln((1 − β₂) (H² − 1) / 3) / (−ln β₂), after a spike           (4.7)

    Negative where the spike is too small to bring it below half speed.

    >>> round(float(steps_after_spike(100.0, 0.9)), 2)
    55.13
    """
    return np.log((1 - beta2) * (H**2 - 1) / 3) / -np.log(beta2)  # (4.7)


def harmless_clip(beta2):
    """Clipped here, no spike brings RMSprop below half speed.

    c = √(1 + 3 / (1 − β₂)), in units of the ordinary gradients         (4.8)

    >>> float(harmless_clip(0.8))
    4.0
    """
    return np.sqrt(1 + 3 / (1 - beta2))  # (4.8)


# ---- chapter 5: the small print: ε, centering, momentum -------------------


def settled_step(g, eps):
    """RMSprop's step on a constant gradient, late, in units of α; ε outside.

    |Δ|/α = |g| / (|g| + ε)                                             (5.1)

    >>> float(settled_step(-3.0, 1.0))
    0.75
    """
    return np.abs(g) / (np.abs(g) + eps)  # (5.1)


def settled_step_inside(g, eps):
    """The same with ε inside the root.

    |Δ|/α = |g| / √(g² + ε)                                             (5.2)

    >>> float(settled_step_inside(-3.0, 16.0))
    0.6
    """
    return np.abs(g) / np.sqrt(g**2 + eps)  # (5.2)


def eps_inside_for(eps, v):
    """The ε that does inside the root, at this v, what `eps` does outside.

    ε_in = ε² + 2 ε √v                                                  (5.3)

    >>> float(eps_inside_for(1.0, 4.0))
    5.0
    """
    return eps**2 + 2 * eps * np.sqrt(v)  # (5.3)


def translation_gap(x):
    """How many times longer the step is with ε² inside than with ε outside.

    (√v + ε) / √(v + ε²) = (1 + x) / √(1 + x²) ≤ √2,  x = √v / ε        (5.4)

    >>> float(translation_gap(0.75))
    1.4
    """
    return (1 + x) / np.sqrt(1 + x**2)  # (5.4)


def stall_gap(spacing, beta2):
    """An average that is rounded after each step stands still this close.

    |g² − v| ≤ s / (2 (1 − β₂)), s the spacing of the numbers around v  (5.5)

    >>> stall_gap(0.25, 0.5)
    0.25
    """
    return spacing / (2 * (1 - beta2))  # (5.5)


def centered_moment(t, g, beta2):
    """v_t − m_t² on a constant gradient, both from zero.

    v_t − m_t² = g² β₂^t (1 − β₂^t)                                     (5.6)

    >>> float(centered_moment(1, 2.0, 0.5))
    1.0
    """
    return g**2 * beta2**t * (1 - beta2**t)  # (5.6)


def centered_step(t, beta2):
    """Centered RMSprop's t-th step on a constant gradient, over α (ε = 0).

    |Δ_t|/α = 1/√(β₂^t (1 − β₂^t))                                      (5.7)

    >>> float(centered_step(1, 0.5))
    2.0
    """
    return 1 / np.sqrt(beta2**t * (1 - beta2**t))  # (5.7)


def centered_until_cap(g, eps, beta2):
    """The t, not rounded, at which ε (outside) stops the growing step.

    |g| β₂^{t/2} = ε:  t = 2 ln(|g|/ε) / (−ln β₂)                       (5.8)

    >>> round(float(centered_until_cap(1.0, 0.125, 0.5)), 6)
    6.0
    """
    return 2 * np.log(np.abs(g) / eps) / -np.log(beta2)  # (5.8)


def centered_until_rounding(bits, beta2):
    """The t at which v_t − m_t² is no larger than what rounding does to it.

    β₂^t = 2^−p / (1 − β₂):  t = ln(2^p (1 − β₂)) / (−ln β₂)            (5.9)

    >>> round(float(centered_until_rounding(11, 0.5)), 6)
    10.0
    """
    return np.log(2.0**bits * (1 - beta2)) / -np.log(beta2)  # (5.9)


def momentum_after_rate_change(k, r, mu):
    """The k-th step after the rate went from α to r α; the rate is inside b.

    Δ_k/α = (r + (1 − r) μ^k) / (1 − μ), the ratio g/√v being one      (5.10)

    >>> float(momentum_after_rate_change(1, 0.0, 0.5))
    1.0
    """
    return (r + (1 - r) * mu**k) / (1 - mu)  # (5.10)


# ---- chapter 6: momentum is an average ------------------------------------


def heavy_ball_rate(alpha, beta1):
    """The rate of heavy ball that makes the same path as α with the average.

    α_HB = α (1 − β₁), with μ = β₁ and b_0 = m_0 / (1 − β₁)             (6.1)

    >>> heavy_ball_rate(0.5, 0.75)
    0.125
    """
    return alpha * (1 - beta1)  # (6.1)


def heavy_ball_step(t, mu):
    """Heavy ball's t-th step on a constant gradient g, over α g.

    |Δ_t| / α|g| = (1 − μ^t) / (1 − μ)  →  1 / (1 − μ)                  (6.2)

    >>> float(heavy_ball_step(2, 0.5))
    1.5
    """
    return (1 - mu**t) / (1 - mu)  # (6.2)


def momentum_matrix(alpha, beta1, lam):
    """One step of the averaged form along an eigenvector, on (c, m).

    ( 1 − α(1−β₁)λ   −αβ₁ )
    (    (1−β₁)λ       β₁ )                                             (6.3)

    Three numbers; returns shape (2, 2).

    >>> momentum_matrix(1.0, 0.5, 1.0)
    array([[ 0.5, -0.5],
           [ 0.5,  0.5]])
    """
    return np.array([[1 - alpha * (1 - beta1) * lam, -alpha * beta1], [(1 - beta1) * lam, beta1]])  # (6.3)


def momentum_recursion(c1, c2, a, beta1):
    """c_t from c_{t−1} and c_{t−2}, along an eigenvector.

    c_t = (1 + β₁ − a) c_{t−1} − β₁ c_{t−2},  a = α(1−β₁)λ              (6.4)

    c1, c2 : c_{t−1} and c_{t−2}

    >>> momentum_recursion(2.0, 4.0, 0.5, 0.5)
    0.0
    """
    return (1 + beta1 - a) * c1 - beta1 * c2  # (6.4)


def momentum_roots(a, beta1):
    """The two factors z by which momentum multiplies c, complex.

    z² − (1 + β₁ − a) z + β₁ = 0,  a = α(1−β₁)λ                         (6.5)

    Returns shape (2, ...), the root with the larger real part first.

    >>> momentum_roots(1.25, 0.25).round(4)
    array([0.+0.5j, 0.-0.5j])
    """
    p = (1 + beta1 - a) / 2 + 0j
    return p + np.multiply.outer([1, -1], np.sqrt(p**2 - beta1))  # (6.5)


def oscillation_range(beta1):
    """The a between which the roots are complex.

    (1 − √β₁)² < a < (1 + √β₁)²                                         (6.6)

    >>> [float(a) for a in oscillation_range(0.25)]
    [0.25, 2.25]
    """
    return (1 - np.sqrt(beta1)) ** 2, (1 + np.sqrt(beta1)) ** 2  # (6.6)


def momentum_radius(a, beta1):
    """The spectral radius: the share of c that is left per step, late.

    q = √β₁ where the roots are complex, else the larger |z| of (6.5)   (6.7)

    >>> float(momentum_radius(1.0, 0.25)), float(momentum_radius(2.5, 0.25))
    (0.5, 1.0)
    """
    p = np.abs(1 + beta1 - a) / 2
    return np.where(p**2 < beta1, np.sqrt(beta1), p + np.sqrt(np.maximum(p**2 - beta1, 0)))  # (6.7)


def largest_stable_rate_with_momentum(beta1, lam_max):
    """The averaged form goes to the minimum from every start below this rate.

    α < 2 (1 + β₁) / ((1 − β₁) λ_max)                                   (6.8)

    >>> largest_stable_rate_with_momentum(0.5, 3.0)
    2.0
    """
    return 2 * (1 + beta1) / ((1 - beta1) * lam_max)  # (6.8)


def oscillation_period(a, beta1):
    """Steps per oscillation, where the roots are complex.

    2π/ω,  cos ω = (1 + β₁ − a) / (2√β₁)                                (6.9)

    >>> float(oscillation_period(1.25, 0.25))
    4.0
    """
    return 2 * np.pi / np.arccos((1 + beta1 - a) / (2 * np.sqrt(beta1)))  # (6.9)


def best_factor_with_momentum(kappa):
    """The smallest worst-case factor of momentum; the best β₁ is its square.

    q* = √β₁* = (√κ − 1) / (√κ + 1)                                    (6.10)

    >>> float(best_factor_with_momentum(9.0))
    0.5
    """
    return (np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)  # (6.10)


def best_rate_with_momentum(lam_min, lam_max):
    """The rate that goes with it, in the averaged form.

    α* = 1 / √(λ_min λ_max)                                            (6.11)

    >>> float(best_rate_with_momentum(1.0, 4.0))
    0.5
    """
    return 1 / np.sqrt(lam_min * lam_max)  # (6.11)


def height_at_best_momentum(t, lam_min, lam_max):
    """f(θ_t) at (6.10) and (6.11), from (1, 1) and m_0 = 0.

    ½ q^{2t} [λ_min (1 + t(1 − q))² + λ_max (1 + t(1 + q))²]           (6.12)

    >>> float(height_at_best_momentum(1, 1.0, 9.0))
    7.3125
    """
    q = best_factor_with_momentum(lam_max / lam_min)
    return q ** (2 * t) / 2 * (lam_min * (1 + t * (1 - q)) ** 2 + lam_max * (1 + t * (1 + q)) ** 2)  # (6.12)


def momentum_noise(alpha, beta1, lam, sigma2):
    """Stationary variance of c where the gradient is λc + noise of variance σ².

    Var[c] = α σ² / (λ (2 − α λ (1 − β₁)/(1 + β₁)))                    (6.13)

    β₁ = 0 is gradient descent.

    >>> momentum_noise(1.0, 0.0, 1.0, 3.0)
    3.0
    """
    return alpha * sigma2 / (lam * (2 - alpha * lam * (1 - beta1) / (1 + beta1)))  # (6.13)


def average_noise(alpha, beta1, lam, sigma2):
    """Stationary variance of m, and so of the step Δ/α, in the same place.

    Var[m] = 2 (1 − β₁)/(1 + β₁) · λ/α · Var[c], Var[c] from (6.13)    (6.14)

    >>> average_noise(1.0, 0.0, 1.0, 3.0)
    6.0
    """
    return 2 * (1 - beta1) / (1 + beta1) * lam / alpha * momentum_noise(alpha, beta1, lam, sigma2)  # (6.14)


def nesterov_roots(a, mu):
    """The two factors z of Nesterov's momentum, complex.

    z² − (1 + μ)(1 − a) z + μ(1 − a) = 0,  a = α_HB λ                  (6.15)

    Returns shape (2, ...), the root with the larger real part first.

    >>> nesterov_roots(0.5, 0.25).real.round(4), nesterov_roots(1.0, 0.25)
    (array([0.3125, 0.3125]), array([0.+0.j, 0.+0.j]))
    """
    p = (1 + mu) * (1 - a) / 2 + 0j
    return p + np.multiply.outer([1, -1], np.sqrt(p**2 - mu * (1 - a)))  # (6.15)


def rmsprop_momentum_start(t, mu, beta2):
    """RMSprop with momentum on a constant gradient: its t-th step, over α.

    |Δ_t|/α = Σ_{k=0}^{t−1} μ^k / √(1 − β₂^{t−k})  →  1/(1 − μ)        (6.16)

    t : one number of steps; ε = 0 and v_0 = 0

    >>> float(rmsprop_momentum_start(1, 0.5, 0.75))
    2.0
    """
    k = np.arange(t)
    return (mu**k / np.sqrt(1 - beta2 ** (t - k))).sum()  # (6.16)


# ---- chapter 7: bias correction -------------------------------------------


def unrolled_first_moment(g, beta1):
    """m_t after all of `g`, from m_0 = 0.

    m_t = (1 − β₁) Σ_{k=0}^{t−1} β₁^k g_{t−k}                           (7.1)

    g : the gradients g_1 … g_t, shape (t, ...)

    >>> float(unrolled_first_moment(np.array([2.0, 2.0]), 0.5))
    1.5
    """
    g = np.asarray(g)
    weights = beta1 ** np.arange(len(g))
    return (1 - beta1) * np.tensordot(weights, g[::-1], 1)  # (7.1)


def expected_average(t, beta, moment):
    """The mean of m_t or v_t when the moment it averages stays the same.

    E[m_t] = (1 − β₁^t) E[g],  E[v_t] = (1 − β₂^t) E[g²]                (7.2)

    >>> float(expected_average(2, 0.5, 4.0))
    3.0
    """
    return (1 - beta**t) * moment  # (7.2)


def corrected_weights(t, beta):
    """What m̂_t (or v̂_t) weighs its entries with, the newest first.

    w_k = (1 − β) β^k / (1 − β^t),  k = 0 … t − 1;  Σ_k w_k = 1         (7.3)

    t : one number of steps
    Returns shape (t,).

    >>> corrected_weights(2, 0.5).round(4)
    array([0.6667, 0.3333])
    """
    k = np.arange(t)
    return (1 - beta) * beta**k / (1 - beta**t)  # (7.3)


def mass_times_age(t, beta2):
    """The sum of the weights of v_t, each times its age k.

    (1 − β₂) Σ_{k=0}^{t−1} k β₂^k = β₂ (1 − β₂^t) / (1 − β₂) − t β₂^t   (7.4)

    >>> float(mass_times_age(2, 0.5))
    0.25
    """
    return beta2 * (1 - beta2**t) / (1 - beta2) - t * beta2**t  # (7.4)


def drift_remainder(t, beta2, b):
    """ζ_t: what a drifting second moment, E[g_i²] = a + b i, adds to E[v_t].

    ζ_t = −b [β₂ (1 − β₂^t) / (1 − β₂) − t β₂^t]  →  −b β₂ / (1 − β₂)   (7.5)

    >>> float(drift_remainder(2, 0.5, 4.0))
    -1.0
    """
    return -b * mass_times_age(t, beta2)  # (7.5)


def expected_drifting_moment(t, beta2, a, b):
    """E[v_t] when the second moment is E[g_i²] = a + b i.

    E[v_t] = (1 − β₂^t) (a + b t) + ζ_t, ζ_t from (7.5)                 (7.6)

    >>> float(expected_drifting_moment(2, 0.5, 1.0, 4.0))
    5.75
    """
    return (1 - beta2**t) * (a + b * t) + drift_remainder(t, beta2, b)  # (7.6)


def lag(t, beta2):
    """How many steps v̂_t is behind a second moment that drifts.

    E[v̂_t] = a + b (t − L_t),  L_t = β₂ / (1 − β₂) − t β₂^t / (1 − β₂^t)  (7.7)

    The mean age of the weights: 0 at t = 1, near (t − 1) / 2 at first.

    >>> float(lag(1, 0.5)), float(lag(60, 0.5))
    (0.0, 1.0)
    """
    return beta2 / (1 - beta2) - t * beta2**t / (1 - beta2**t)  # (7.7)


def startup_ratio(t, beta1, beta2):
    """How many times as long Adam's t-th step is without its correction.

    ρ_t = (1 − β₁^t) / √(1 − β₂^t), on any gradients (ε = 0)            (7.8)

    >>> float(startup_ratio(1, 0.75, 0.9375))
    1.0
    """
    return (1 - beta1**t) / np.sqrt(1 - beta2**t)  # (7.8)


def worst_step(beta1):
    """The t, not rounded, at which ρ_t is largest.

    t* = x / (−ln β₁), where e^x = 1 + 2x                               (7.9)
    to leading order: (1 − β₂) t* is small.

    >>> float(round(worst_step(0.9), 2))
    11.93
    """
    x = 1.2564312086
    return x / -np.log(beta1)  # (7.9)


def worst_ratio(beta1, beta2):
    """The largest ρ_t, to leading order.

    ρ* = 2√x / (1 + 2x) √(−ln β₁ / (1 − β₂)), where e^x = 1 + 2x        (7.9)

    >>> float(round(worst_ratio(0.9, 0.999), 2))
    6.55
    """
    height = 0.6381726863  # 2√x / (1 + 2x)
    return height * np.sqrt(-np.log(beta1) / (1 - beta2))  # (7.9)


def last_step_above(ratio, beta2):
    """The t, not rounded, at which ρ_t falls to `ratio` for good.

    t = ln(1 − 1/ratio²) / ln β₂, where β₁^t is negligible             (7.10)

    >>> float(last_step_above(2.0, 0.75))
    1.0
    """
    return np.log(1 - 1 / ratio**2) / np.log(beta2)  # (7.10)


def is_longer_uncorrected(t, beta1, beta2):
    """Is Adam's t-th step longer without the correction, ρ_t > 1?

    (1 − β₁^t)² > 1 − β₂^t  ⟺  β₂^t > β₁^t (2 − β₁^t)                  (7.11)

    >>> bool(is_longer_uncorrected(1, 0.9, 0.999))
    True
    """
    return beta2**t > beta1**t * (2 - beta1**t)  # (7.11)


def startup_ratio_first_only(t, beta2):
    """ρ_t where m_t is corrected and v_t is not (``correct="first"``).

    1 / √(1 − β₂^t), largest at t = 1                                  (7.12)

    >>> float(startup_ratio_first_only(1, 0.9375))
    4.0
    """
    return 1 / np.sqrt(1 - beta2**t)  # (7.12)


# ---- chapter 8: Adam, assembled and tested --------------------------------


def first_adam_step(g, eps):
    """Length of Adam's first step, in units of α.

    |Δ_1|/α = |g_1| / (|g_1| + ε)                                       (8.1)

    >>> float(first_adam_step(-3.0, 1.0))
    0.75
    """
    return np.abs(g) / (np.abs(g) + eps)  # (8.1)


def step_with_wrong_t(t, beta1, beta2, late=1):
    """Adam's step where t + s is taken for t, over the right step (ε = 0).

    r_t = (1 − β₁^t)/(1 − β₁^{t+s}) · √((1 − β₂^{t+s})/(1 − β₂^t))      (8.2)

    late : s; 1 where t is counted one too high, 1 − t where it stays at 1

    >>> float(step_with_wrong_t(1, 0.0, 0.21))
    1.1
    """
    s = t + late
    return (1 - beta1**t) / (1 - beta1**s) * np.sqrt((1 - beta2**s) / (1 - beta2**t))  # (8.2)


def rate_before_correction(t, alpha, beta1, beta2):
    """The rate that goes with the uncorrected m_t and √v_t.

    α_t = α √(1 − β₂^t) / (1 − β₁^t)                                    (8.3)

    >>> float(rate_before_correction(1, 0.5, 0.0, 0.75))
    0.25
    """
    return alpha * np.sqrt(1 - beta2**t) / (1 - beta1**t)  # (8.3)


def eps_before_correction(t, eps, beta2):
    """What stands next to √v_t where ε stands next to √v̂_t.

    ε̂_t = ε √(1 − β₂^t)                                                 (8.4)

    >>> float(eps_before_correction(1, 1.0, 0.75))
    0.5
    """
    return eps * np.sqrt(1 - beta2**t)  # (8.4)


def eps_after_correction(t, eps_hat, beta2):
    """What a constant ε̂ next to √v_t amounts to next to √v̂_t.

    ε_t = ε̂ / √(1 − β₂^t)                                               (8.5)

    >>> float(eps_after_correction(1, 1.0, 0.75))
    2.0
    """
    return eps_hat / np.sqrt(1 - beta2**t)  # (8.5)


def adam_step_on_signs(signs, beta1):
    """Adam's step after gradients of one size, c s_1, ..., c s_t (ε = 0).

    Δ_t/α = −(1 − β₁)/(1 − β₁^t) · Σ_{k=0}^{t−1} β₁^k s_{t−k}           (8.6)

    signs : s_1, ..., s_t, each 1 or −1, shape (..., t)

    >>> float(adam_step_on_signs(np.array([1.0, -1.0]), 0.5))
    0.3333333333333333
    """
    t = np.shape(signs)[-1]
    k, past = np.arange(t), signs[..., ::-1]  # past[k] = s_{t-k}
    return -(1 - beta1) / (1 - beta1**t) * (beta1**k * past).sum(-1)  # (8.6)


def rmsprop_momentum_step_on_signs(signs, mu, beta2):
    """The same for RMSprop with momentum at the rate α(1 − μ).

    Δ_t/α = −(1 − μ) Σ_{k=0}^{t−1} μ^k s_{t−k} / √(1 − β₂^{t−k})        (8.7)

    >>> float(rmsprop_momentum_step_on_signs(np.array([1.0]), 0.5, 0.75))
    -1.0
    """
    t = np.shape(signs)[-1]
    k, past = np.arange(t), signs[..., ::-1]
    return -(1 - mu) * (mu**k * past / np.sqrt(1 - beta2 ** (t - k))).sum(-1)  # (8.7)


def first_moment_on_cycle(beta1, g):
    """m_t at each step of a cycle of gradients that repeats for ever.

    m_j = (1 − β₁) / (1 − β₁^n) · Σ_{k=0}^{n−1} β₁^k g_{j−k}            (8.8)
    with indices modulo n: (3.3) for g instead of g².

    beta1 : decay rate in [0, 1), shape (...)
    g : one cycle, shape (n,)
    Returns shape (..., n), in the order of `g`.

    >>> first_moment_on_cycle(0.5, np.array([3.0, -3.0]))
    array([ 1., -1.])
    """
    n = len(g)
    k, beta1 = np.arange(n), np.asarray(beta1)[..., None, None]
    past = g[(k[:, None] - k) % n]  # past[j, k] = g_{j-k}
    return ((1 - beta1) / (1 - beta1**n) * beta1**k * past).sum(-1)  # (8.8)


def adam_drift_on_cycle(beta1, beta2, g):
    """Adam's movement over one cycle in units of α, long after the start (ε = 0).

    D/α = − Σ_j m_j / √v_j, m_j from (8.8), v_j from (3.3)              (8.9)

    >>> float(adam_drift_on_cycle(0.5, 0.5, np.array([2.0, 2.0])))
    -2.0
    """
    m, v = first_moment_on_cycle(beta1, g), second_moment_on_cycle(beta2, g)
    return -(m / np.sqrt(v)).sum(-1)  # (8.9)


def share_of_drift(beta1, n):
    """Adam's drift over that of RMSprop with momentum, as β₂ → 1.

    D_Adam / D_RMSprop → 1 − K / ((n − 1)/2)                            (8.10)

    for a cycle of n − 1 equal gradients and one that makes the sum zero;
    K is the mean age (7.7) of n gradients in the first moment.

    >>> share_of_drift(0.0, 10)
    1.0
    """
    return 1 - lag(n, beta1) / ((n - 1) / 2)  # (8.10)


# ---- chapter 9: how far can one step go? ----------------------------------


def geometric_sum(x, n):
    """1 + x + … + x^{n−1}; n may be np.inf.

    >>> float(geometric_sum(0.5, 2)), float(geometric_sum(1.0, 7))
    (1.5, 7.0)
    """
    one = np.asarray(x) == 1
    return np.where(one, n, (1 - x**n) / np.where(one, 1, 1 - x))


def single_gradient_step(t, beta1, beta2):
    """Adam's t-th step in units of α, if only g_t is not zero (ε = 0).

    |Δ_t|/α = (1 − β₁)/(1 − β₁^t) · √((1 − β₂^t)/(1 − β₂))              (9.1)

    t : a number of steps; np.inf gives the limit (1 − β₁)/√(1 − β₂), the
        bound of the Adam paper

    >>> float(single_gradient_step(np.inf, 0.5, 0.75))
    1.0
    """
    return (1 - beta1) / (1 - beta1**t) * np.sqrt((1 - beta2**t) / (1 - beta2))  # (9.1)


def sharp_bound_sum(t, beta1, beta2):
    """No t-th step of Adam is longer than this, in units of α.

    S_t = √(Σ_{k=0}^{t−1} w_k² / u_k)                                   (9.2)

    w_k, u_k : the corrected weights (7.3) for β₁ and for β₂ > 0; numbers only

    >>> float(sharp_bound_sum(1, 0.9, 0.999))
    1.0
    """
    w, u = corrected_weights(t, beta1), corrected_weights(t, beta2)
    return np.sqrt((w**2 / u).sum())  # (9.2)


def worst_growth(beta1, beta2):
    """The gradient that makes the longest step grows by this at each step.

    g_{t−k} ∝ (β₁/β₂)^k, so that g_t / g_{t−1} = β₂/β₁                  (9.3)

    >>> worst_growth(0.5, 0.75)
    1.5
    """
    return beta2 / beta1  # (9.3)


def sharp_bound(t, beta1, beta2):
    """S_t of (9.2) in closed form, for β₂ > 0.

    S_t = (1 − β₁)/(1 − β₁^t) · √((1 − β₂^t)/(1 − β₂) · Σ_{k<t} x^k)    (9.4)
    with x = β₁²/β₂

    t : a number of steps; np.inf gives the limit, infinite for x ≥ 1

    >>> round(float(sharp_bound(100, 0.9, 0.999)), 4)
    2.2434
    """
    powers = geometric_sum(beta1**2 / beta2, t)
    return single_gradient_step(t, beta1, beta2) * np.sqrt(powers)  # (9.4)


def sharp_bound_ever(beta1, beta2):
    """No step of Adam at all is longer than this, in units of α; β₂ > 0.

    S_∞ = (1 − β₁) / √((1 − β₂)(1 − β₁²/β₂)) if β₁² < β₂, else ∞        (9.5)

    >>> round(float(sharp_bound_ever(0.9, 0.999)), 4)
    7.2703
    >>> float(sharp_bound_ever(0.9, 0.5))
    inf
    """
    left = np.maximum(1 - beta1**2 / np.asarray(beta2), 0)
    with np.errstate(divide="ignore"):
        return (1 - beta1) / np.sqrt((1 - beta2) * left)  # (9.5)


def squared_excess(t, beta1, beta2):
    """By how much S_t² is above 1.

    S_t² − 1 = Σ_{k=0}^{t−1} (w_k − u_k)² / u_k                         (9.6)

    >>> float(squared_excess(5, 0.9, 0.9))
    0.0
    """
    w, u = corrected_weights(t, beta1), corrected_weights(t, beta2)
    return ((w - u) ** 2 / u).sum()  # (9.6)


def squared_excess_ever(beta1, beta2):
    """The same as t → ∞, for β₁² < β₂.

    S_∞² − 1 = (β₁ − β₂)² / ((1 − β₂)(β₂ − β₁²))                        (9.7)

    >>> squared_excess_ever(0.5, 0.75)
    0.5
    """
    return (beta1 - beta2) ** 2 / ((1 - beta2) * (beta2 - beta1**2))  # (9.7)


def echo_step(t, beta1, beta2):
    """Adam's t-th step in units of α, if only g_1 is not zero (ε = 0).

    |Δ_t|/α = (9.1) · (β₁/√β₂)^{t−1}                                    (9.8)

    >>> float(echo_step(1, 0.9, 0.5))
    1.0
    """
    alone = single_gradient_step(t, beta1, beta2)
    return alone * (beta1 / np.sqrt(beta2)) ** (t - 1)  # (9.8)


def bound_after_silence(n, beta1, beta2):
    """No n-th gradient after a long silence makes a longer step; units of α.

    (1 − β₁)/√(1 − β₂) · √(Σ_{k<n} x^k) = ρ_n S_n, x = β₁²/β₂           (9.9)

    It is also the bound on the n-th step of uncorrected Adam.

    >>> round(float(bound_after_silence(2, 0.5, 0.75) ** 2), 4)
    1.3333
    """
    powers = geometric_sum(beta1**2 / beta2, n)
    return (1 - beta1) / np.sqrt(1 - beta2) * np.sqrt(powers)  # (9.9)


def step_on_growth(q, beta1, beta2):
    """Adam's late step in units of α, on gradients that grow by q a step.

    |Δ|/α → (1 − β₁)/√(1 − β₂) · √(1 − β₂/q²) / (1 − β₁/q)             (9.10)
    for q > β₁ and q² > β₂

    >>> float(step_on_growth(1.0, 0.9, 0.75))
    1.0
    """
    alone = single_gradient_step(np.inf, beta1, beta2)
    return alone * np.sqrt(1 - beta2 / q**2) / (1 - beta1 / q)  # (9.10)


def farthest(T, alpha, beta1, beta2):
    """No coordinate is further than this from its start after T steps.

    |θ_T − θ_0| ≤ α Σ_{t=1}^T S_t                                      (9.11)

    >>> float(farthest(10, 0.5, 0.9, 0.9))
    5.0
    """
    return alpha * sharp_bound(np.arange(1, T + 1), beta1, beta2).sum()  # (9.11)


# ---- chapter 10: signal, noise, and what Adam does not do -----------------


def mean_step(eta):
    """Adam's mean step on g = 1 + η ξ, in units of α, as β₂ → 1 (ε = 0).

    |E[Δ]|/α → 1 / √(1 + η²), the root of the signal's share           (10.1)

    >>> float(mean_step(0.75))
    0.8
    """
    return 1 / np.sqrt(1 + eta**2)  # (10.1)


def rms_step(eta, beta1):
    """The root mean square of the same step, as β₂ → 1 and t → ∞.

    √E[Δ²]/α → √((1 + F₁ η²) / (1 + η²)),  F₁ = (1 − β₁)/(1 + β₁)      (10.2)

    >>> float(rms_step(3.0, 0.5))
    0.6324555320336759
    """
    F1 = variance_factor(np.inf, beta1)
    return np.sqrt((1 + F1 * eta**2) / (1 + eta**2))  # (10.2)


def rms_step_on_noise(beta1):
    """The same where the gradient is nothing but noise.

    √E[Δ²]/α → √((1 − β₁) / (1 + β₁))                                  (10.3)

    >>> float(rms_step_on_noise(0.6))
    0.5
    """
    return np.sqrt((1 - beta1) / (1 + beta1))  # (10.3)


def mean_step_to_second_order(eta, beta1, beta2):
    """Adam's mean step at a finite β₂, normal noise, late (ε = 0).

    |E[Δ]|/α ≈ (1 − (1 − β₁)(1 − β₂)/(1 − β₁β₂) · η²/V
                  + ¾ (1 − β₂)/(1 + β₂) · η²(2 + η²)/V²) / √V          (10.4)
    with V = 1 + η²

    >>> round(float(mean_step_to_second_order(1.0, 0.0, 0.9)), 4)
    0.6927
    """
    V = 1 + eta**2
    together = (1 - beta1) * (1 - beta2) / (1 - beta1 * beta2)
    F2 = variance_factor(np.inf, beta2)
    return (1 - together * eta**2 / V + 0.75 * F2 * eta**2 * (2 + eta**2) / V**2) / np.sqrt(V)  # (10.4)


def rms_on_noise_to_second_order(beta1, beta2):
    """Adam's rms step on pure normal noise at a finite β₂, late (ε = 0).

    √E[Δ²]/α ≈ √F₁ (1 − (1 − β₂)(1 − β₁²)/(1 − β₁²β₂)
                      + (1 − β₂)/(1 + β₂))                             (10.5)

    >>> round(float(rms_on_noise_to_second_order(0.0, 0.9)), 4)
    0.9526
    """
    F2 = variance_factor(np.inf, beta2)
    together = (1 - beta2) * (1 - beta1**2) / (1 - beta1**2 * beta2)
    return rms_step_on_noise(beta1) * (1 - together + F2)  # (10.5)


def spread(g, beta):
    """u_t = v_t − m_t² for β₁ = β₂ = β, without a difference of squares.

    u_t = β u_{t−1} + β (1 − β) (g_t − m_{t−1})²,  from m_0 = u_0 = 0  (10.6)

    g : the gradients g_1 … g_t, shape (t, ...)
    Returns u_1 … u_t, of the shape of g.

    >>> spread(np.array([2.0, 5.0]), 0.5)
    array([1. , 4.5])
    """
    m = u = np.zeros_like(g[0])
    path = []
    for g_t in g:
        u = beta * u + beta * (1 - beta) * (g_t - m) ** 2  # (10.6)
        m = beta * m + (1 - beta) * g_t
        path.append(u)
    return np.array(path)


def equal_betas_step(m, u, t, beta):
    """Adam's step for β₁ = β₂ = β, in units of α, against the gradient.

    m̂_t/√v̂_t = sign(m_t) / √((1 − β^t) (1 + u_t/m_t²))                 (10.7)

    >>> float(equal_betas_step(-1.0, 3.0, 1, 0.75))
    -1.0
    """
    return np.sign(m) / np.sqrt((1 - beta**t) * (1 + u / m**2))  # (10.7)


def expected_spread(beta, sigma2):
    """The mean of v_t − m_t² on white noise of variance σ², late.

    E[u] → 2β/(1 + β) · σ²                                             (10.8)

    >>> round(expected_spread(0.6, 4.0), 6)
    3.0
    """
    return 2 * beta / (1 + beta) * sigma2  # (10.8)


def signal_share(ratio, factor):
    """The signal's share of the second moment, from averages.

    p = (Q − F₁) / (1 − F₁),  Q = Σ m̂² / Σ v̂ over many coordinates     (10.9)

    factor : F₁ = (1 − β₁)/(1 + β₁), what noise alone leaves in Q

    >>> signal_share(0.5, 0.25)
    0.3333333333333333
    """
    return (ratio - factor) / (1 - factor)  # (10.9)


def distance_under_schedule(rates, z0, sigma, lam):
    """E[θ_t²] on ½λθ² with gradient noise σ, v being σ² (β₁ = 0).

    z_t = (1 − α_t λ/σ)² z_{t−1} + α_t²                               (10.10)

    rates : α_1 … α_T, shape (T, ...)
    Returns z_0 … z_T, shape (T + 1, ...).

    >>> distance_under_schedule(np.array([0.5, 0.5]), 1.0, 1.0, 1.0)
    array([1.   , 0.5  , 0.375])
    """
    path = [z0 + 0 * rates[0]]
    for a in rates:
        z = (1 - a * lam / sigma) ** 2 * path[-1] + a**2  # (10.10)
        path.append(z)
    return np.array(path)


def noise_floor(alpha, sigma, lam):
    """Where E[θ²] ends at a constant rate, for α λ/σ small.

    z_∞ ≈ α σ / (2 λ)                                                 (10.11)

    >>> noise_floor(0.5, 4.0, 2.0)
    0.5
    """
    return alpha * sigma / (2 * lam)  # (10.11)


def noise_floor_of_loss(alpha, sigma):
    """Where the mean loss ½λE[θ²] ends: λ has cancelled.

    E[f] ≈ α σ / 4                                                    (10.12)

    >>> noise_floor_of_loss(0.5, 4.0)
    0.5
    """
    return alpha * sigma / 4  # (10.12)


# ---- chapter 11: when Adam does not converge ------------------------------


def average_regret(losses, best):
    """What was lost per step against one fixed point, chosen afterwards.

    R_T / T = (1/T) Σ_t [f_t(θ_{t−1}) − f_t(θ*)]                        (11.1)

    losses : f_t(θ_{t-1}) at t = 1 … T, shape (T, ...)
    best : f_t(θ*) at the point θ* with the smallest sum, shape (T, ...)

    >>> float(average_regret(np.array([3.0, 1.0]), np.array([-3.0, 1.0])))
    3.0
    """
    return np.mean(losses - best, axis=0)  # (11.1)


def resting_regret(C, x):
    """Average regret on Reddi's example of a player who stays at x.

    R_T / T = (C − 2)(x + 1) / 3, T a multiple of 3                     (11.2)

    >>> resting_regret(5.0, 1.0)
    2.0
    """
    return (C - 2) * (x + 1) / 3  # (11.2)


def reddi_second_moment(C, beta2):
    """v at the three places of the cycle C, −1, −1, long after the start.

    v_1 = w (C² + β₂ + β₂²), v_2 = w (1 + β₂ C² + β₂²),
    v_3 = w (1 + β₂ + β₂² C²), w = (1 − β₂) / (1 − β₂³)                 (11.3)

    Returns the three on a new last axis.

    >>> reddi_second_moment(3.0, 0.5)
    array([5.57142857, 3.28571429, 2.14285714])
    """
    b, w = beta2, (1 - beta2) / (1 - beta2**3)
    return np.stack([w * (C**2 + b + b**2), w * (1 + b * C**2 + b**2),
                     w * (1 + b + b**2 * C**2)], axis=-1)  # (11.3)


def reddi_drift(C, beta2):
    """Movement over one period of Reddi's example in units of α (β₁ = ε = 0).

    D/α = −C / √v_1 + 1 / √v_2 + 1 / √v_3, v_1 … v_3 from (11.3)        (11.4)

    >>> float(reddi_drift(3.0, 0.0))
    1.0
    """
    v = reddi_second_moment(C, beta2)
    return -C / np.sqrt(v[..., 0]) + 1 / np.sqrt(v[..., 1]) + 1 / np.sqrt(v[..., 2])  # (11.4)


def reddi_balance(C, beta2):
    """Positive where Reddi's example drifts to the wrong end, zero at β₂*.

    Q = 1/√(1 + β₂ C² + β₂²) + 1/√(1 + β₂ + β₂² C²) − C/√(C² + β₂ + β₂²)  (11.5)

    >>> float(reddi_balance(3.0, 0.0))
    1.0
    """
    b = beta2
    return (1 / np.sqrt(1 + b * C**2 + b**2) + 1 / np.sqrt(1 + b + b**2 * C**2)
            - C / np.sqrt(C**2 + b + b**2))  # (11.5)


def reddi_threshold(C):
    """β₂*, the zero of (11.5) between 0 and 1, for C > 2; by bisection.

    >>> round(float(reddi_threshold(3.0)), 6)
    0.472313
    """
    low, high = np.zeros(np.shape(C)), np.ones(np.shape(C))
    for _ in range(50):
        middle = (low + high) / 2
        wrong = reddi_balance(C, middle) > 0
        low, high = np.where(wrong, middle, low), np.where(wrong, high, middle)
    return (low + high) / 2


def reddi_threshold_near_two(C):
    """β₂* for C a little above 2, to first order in C − 2.

    1 − β₂* ≈ (4/3) (C − 2)                                             (11.6)

    >>> round(reddi_threshold_near_two(2.03), 6)
    0.96
    """
    return 1 - 4 / 3 * (C - 2)  # (11.6)


def amsgrad_reddi_drift(C, v_max):
    """AMSGrad's movement over one period, once its maximum v_max stands still.

    D/α = −(C − 2) / √v_max                                             (11.7)

    >>> float(amsgrad_reddi_drift(4.0, 16.0))
    -0.5
    """
    return -(C - 2) / np.sqrt(v_max)  # (11.7)


def raw_over_corrected(t, s, beta2):
    """AMSGrad's step, maximum before the correction over maximum after it.

    √((1 − β₂^t) / (1 − β₂^s))                                          (11.8)

    for t ≥ s, s being the step at which both maxima were reached (ε = 0).

    >>> float(raw_over_corrected(2, 1, 0.25))
    1.118033988749895
    """
    return np.sqrt((1 - beta2**t) / (1 - beta2**s))  # (11.8)


def threshold_from_cubes(g):
    """β₂* of a cycle with a small positive sum that reads the same backwards.

    1 − β₂* ≈ 4 v̄ Σ_j g_j / Σ_j g_j³, v̄ the mean of g²                  (11.9)

    g : one cycle, shape (n,); β₁ = 0

    >>> round(float(threshold_from_cubes(np.array([2.01, -1.0, -1.0]))), 4)
    0.9868
    """
    return 1 - 4 * np.mean(g**2) * np.sum(g) / np.sum(g**3)  # (11.9)


def wrong_limit(s, beta2):
    """Where Adam with β₁ = 0 ends on gradients x + s (2, −1, −1), 1 − β₂ small.

    x_∞ ≈ (1 − β₂) s / 4, instead of 0                                  (11.10)

    >>> wrong_limit(2.0, 0.5)
    0.25
    """
    return (1 - beta2) * s / 4  # (11.10)


def progress_on_the_slope(drift, n, rates):
    """How far a cycle of n gradients moves x while the steps `rates` are made.

    x_T − x_S = (D/α)/n · (α_{S+1} + … + α_T)                           (11.11)

    drift : D/α per cycle; rates : α_{S+1} … α_T, shape (T − S,)

    >>> float(progress_on_the_slope(-4.0, 2, np.array([0.5, 0.25])))
    -1.5
    """
    return drift / n * np.sum(rates)  # (11.11)


# ---- chapter 12: a real network, compared fairly --------------------------


def paired_interval(difference, quantile):
    """Half the width of the confidence interval of a mean difference.

    h = t s_d / √n, s_d the standard deviation of the differences      (12.1)

    difference : one for each seed, shape (n, ...)
    quantile : t, of Student's distribution with n − 1 degrees of freedom

    >>> float(paired_interval([1.0, 3.0], 12.7))
    12.7
    """
    n = len(difference)
    return quantile * np.std(difference, axis=0, ddof=1) / np.sqrt(n)  # (12.1)


def deviation_of_difference(s_a, s_b, r):
    """Standard deviation of a − b, from theirs and their correlation r.

    s_d = √(s_a² + s_b² − 2 r s_a s_b)                                 (12.2)

    >>> float(deviation_of_difference(3.0, 4.0, 0.0))
    5.0
    """
    return np.sqrt(s_a**2 + s_b**2 - 2 * r * s_a * s_b)  # (12.2)


def expected_best(k, losses):
    """The smallest of k of these losses, on average over all choices of k.

    Σ_i C(n − i, k − 1) / C(n, k) · x_(i), x_(1) ≤ … ≤ x_(n)           (12.3)

    k : how many are drawn, without replacement, 1 … n
    losses : shape (n,)

    >>> float(expected_best(2, [3.0, 1.0, 2.0]).round(4))
    1.3333
    """
    x, n = np.sort(losses), len(losses)
    i = np.arange(1, n + 1)
    chosen = np.array([comb(n - j, k - 1) for j in i])
    return (chosen * x).sum() / comb(n, k)  # (12.3)


def rise_per_decade(below, best, above):
    """How much the log of a loss rises a decade away from the best setting.

    S = ½ [ln L(x − 1) + ln L(x + 1)] − ln L(x), x = log₁₀ of the setting
                                                                       (12.4)

    below, best, above : the losses L at a tenth of the best setting, at the
        best, and at ten times it

    >>> float(rise_per_decade(np.e, 1.0, np.e**3))
    2.0
    """
    return (np.log(below) + np.log(above)) / 2 - np.log(best)  # (12.4)


def same_memory(beta2, batch, new_batch):
    """The decay rate that remembers as many examples at another batch size.

    β₂' = β₂^(B'/B)                                                    (12.5)

    >>> float(round(same_memory(0.5, 64, 128), 6))
    0.25
    """
    return beta2 ** (new_batch / batch)  # (12.5)


def eps_of_unscaled_loss(eps, c):
    """The ε that does to a loss what `eps` does to c times this loss.

    ε' = ε / c                                                         (12.6)

    >>> eps_of_unscaled_loss(1.0, 4.0)
    0.25
    """
    return eps / c  # (12.6)


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


# nodes and weights of the mean over a standard normal variable
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(80)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def input_variance(q, weight_variance=2.0):
    """Variance of a sigmoid unit's input, from that of the layer below.

    q_{k+1} = σ_w² E[h(z)²],  z normal with variance q_k               (12.7)

    weight_variance : σ_w², inputs times the variance of a weight

    >>> float(input_variance(0.0))
    0.5
    """
    h = _sigmoid(np.sqrt(q) * _NODES)
    return weight_variance * (_WEIGHTS * h**2).sum()  # (12.7)


def layer_factor(q, weight_variance=2.0):
    """What one layer of sigmoids leaves of a small difference, either way.

    c = √(σ_w² E[h'(z)²]),  z normal with variance q                   (12.8)

    Forwards a difference between two inputs, backwards a gradient.

    >>> float(layer_factor(0.0, 16.0))
    1.0
    """
    h = _sigmoid(np.sqrt(q) * _NODES)
    slope = h * (1 - h)
    return np.sqrt(weight_variance * (_WEIGHTS * slope**2).sum())  # (12.8)


def signal_to_noise(k, c, first=1.0):
    """Signal over noise of layer k's gradient, from that of layer 1.

    SNR_k = c^{k−1} SNR_1, while the network only knows class frequencies
                                                                       (12.9)

    >>> signal_to_noise(3, 0.5)
    0.25
    """
    return c ** (k - 1) * first  # (12.9)


# ---- chapter 13: geometry: who wins, and when -----------------------------


def turned_gradient(grad, R, phi):
    """The gradient of f̃(φ) = f(Rᵀφ): the problem f, turned by R.

    ∇f̃(φ) = R ∇f(Rᵀφ)                                                  (13.1)

    grad : the gradient of f; phi : shape (..., d); R orthogonal, (d, d)

    >>> R = np.array([[0.0, -1.0], [1.0, 0.0]])  # by 90°
    >>> turned_gradient(lambda theta: theta * [1, 2], R, np.array([0.0, 3.0]))
    array([0., 3.])
    """
    return grad(phi @ R) @ R.T  # (13.1)


def turned_path(theta, R):
    """Where a rule that commutes with R goes on the turned problem.

    φ_t = R θ_t                                                        (13.2)

    from φ_0 = R θ_0, if the step of the rule on R g is R times that on g.
    theta : shape (..., d)

    >>> turned_path(np.array([1.0, 0.0]), np.array([[0.0, -1.0], [1.0, 0.0]]))
    array([0., 1.])
    """
    return (R * theta[..., None, :]).sum(-1)  # (13.2)


def condition_left(H, D):
    """The condition number once each coordinate is divided by its D_i.

    κ_D = κ(D^(−1/2) H D^(−1/2)), D = diag(D_1, ..., D_d)              (13.3)

    H : symmetric, positive, shape (..., d, d); D : positive, (..., d)

    >>> H = np.array([[500.5, -499.5], [-499.5, 500.5]])
    >>> float(condition_left(H, np.array([7.0, 7.0])).round(6))
    1000.0
    """
    root = np.sqrt(D)
    lam = np.linalg.eigvalsh(H / (root[..., None] * root[..., None, :]))  # (13.3)
    return lam[..., -1] / lam[..., 0]


def step_under_swing(x, G):
    """Adam's mean step where a small steady x rides on gradients ±G.

    mean of Δ/α = −x / √(G² + x²), as β₂ → 1                           (13.4)

    >>> float(step_under_swing(3.0, 4.0))
    -0.6
    """
    return -x / np.sqrt(G**2 + x**2)  # (13.4)


def class_loss(d, c):
    """The loss of a class whose right logit is d above the c − 1 others.

    ℓ = ln(1 + (c − 1) e^(−d))                                         (13.5)

    >>> float(class_loss(0.0, 1).round(6))
    0.0
    """
    return np.log(1 + (c - 1) * np.exp(-d))  # (13.5)


def gap_needed(loss, c):
    """The gap d at which the loss of a class is `loss`.

    d* = ln((c − 1) / (e^ℓ − 1))                                       (13.6)

    >>> float(gap_needed(np.log(2), 2).round(6))
    0.0
    """
    return np.log((c - 1) / np.expm1(loss))  # (13.6)


def next_gap(d, alpha, pi, c):
    """One step of gradient descent, for a class of frequency π.

    d_t = d_{t−1} + α π c / (e^d_{t−1} + c − 1)                        (13.7)

    >>> float(next_gap(0.0, 1.0, 0.25, 4))
    0.25
    """
    return d + alpha * pi * c / (np.exp(d) + c - 1)  # (13.7)


def scaled_time(d, c):
    """The time α π t at which gradient descent with small steps has gap d.

    α π t = (e^d − 1 + (c − 1) d) / c                                  (13.8)

    >>> float(scaled_time(0.0, 10))
    0.0
    """
    return (np.expm1(d) + (c - 1) * d) / c  # (13.8)


def sign_steps(d, alpha):
    """Steps of sign descent to the gap d, not rounded, at any frequency.

    t = d / (2α)                                                       (13.9)

    >>> sign_steps(3.0, 0.5)
    3.0
    """
    return d / (2 * alpha)  # (13.9)


def gradient_on_the_line(s, gamma, Xy, n):
    """Gradient of ‖Xw − y‖²/2n at w = s·sign(Xᵀy) if X sign(Xᵀy) = γ y.

    g = (γ s − 1) Xᵀy / n                                             (13.10)

    Xy : Xᵀy, shape (d,)

    >>> gradient_on_the_line(0.25, 4, np.array([3.0, -1.0]), 2)
    array([ 0., -0.])
    """
    return (gamma * s - 1) * Xy / n  # (13.10)


def kept_with_l2(t, alpha, lam, G):
    """What an L2 penalty in Adam leaves of θ after t steps, gradients ±G.

    θ_t / θ_0 ≈ (1 − αλ/G)^t, for λ|θ| small against G                (13.11)

    >>> kept_with_l2(2, 0.5, 0.5, 0.5)
    0.25
    """
    return (1 - alpha * lam / G) ** t  # (13.11)


def kept_with_adamw(t, alpha, lam):
    """What AdamW leaves of θ after t steps, whatever the size of ±G.

    θ_t / θ_0 ≈ (1 − αλ)^t                                            (13.12)

    >>> kept_with_adamw(2, 0.5, 1.0)
    0.25
    """
    return (1 - alpha * lam) ** t  # (13.12)


# ---- chapter 14: does it survive a transformer? ---------------------------


def mean_startup_ratio(x):
    """The mean of ρ_1 … ρ_T, (7.8), over a run of T steps, β₁^t neglected.

    ρ̄ ≈ (2/x) arcosh e^{x/2},  x = T (−ln β₂)                          (14.1)

    x : the length of the run in time constants 1/(1 − β₂)

    >>> round(float(mean_startup_ratio(0.6)), 4)
    2.7128
    """
    return 2 / x * np.arccosh(np.exp(x / 2))  # (14.1)


def mean_startup_ratio_late(x):
    """The same for a run much longer than the memory.

    ρ̄ ≈ 1 + 2 ln 2 / x                                                 (14.2)

    >>> round(float(mean_startup_ratio_late(100.0)), 4)
    1.0139
    """
    return 1 + 2 * np.log(2) / x  # (14.2)


def flattery(sigma):
    """How much better the better of two equally good settings looks.

    E[min(a, b)] = μ − σ/√π,  a and b independent N(μ, σ²)             (14.3)

    sigma : σ, the standard deviation of a loss from seed to seed

    >>> round(float(flattery(1.0)), 4)
    0.5642
    """
    return sigma / np.sqrt(np.pi)  # (14.3)


# ---- chapter 15: what a step costs ----------------------------------------


def memory(n, states, theta=4, g=4, state=4):
    """Bytes that n parameters in training keep.

    M = n (b_θ + b_g + k b_s)                                          (15.1)

    states : k, the arrays that the optimizer keeps; Adam has 2
    theta, g, state : bytes of a number, b_θ, b_g and b_s

    >>> memory(10, 2), memory(10, 2) - memory(10, 0)
    (160, 80)
    """
    return n * (theta + g + states * state)  # (15.1)


def must_move(n, states, theta=4, g=4, state=4):
    """Bytes that every implementation of one step reads or writes.

    Q = n (2 b_θ + b_g + 2 k b_s)                                      (15.2)

    >>> must_move(10, 2)
    280
    """
    return n * (2 * theta + g + 2 * states * state)  # (15.2)


def least_time(moved, bandwidth, operations=0.0, speed=1.0):
    """No step that moves Q bytes and makes F operations is faster.

    T ≥ max(Q / W, F / P)                                              (15.3)

    moved, operations : Q and F
    bandwidth, speed : W in bytes and P in operations per second

    >>> float(least_time(28e9, 7e9)), float(least_time(1.0, 1.0, 6.0, 2.0))
    (4.0, 3.0)
    """
    return np.maximum(moved / bandwidth, operations / speed)  # (15.3)


def passes_over_floor(passes, states):
    """How many times the bytes of (15.2) a line-by-line program moves.

    r = Σ_l (r_l + w_l) / (3 + 2k)                                     (15.4)

    passes : numbers read and written per parameter by each line, (..., 2)

    >>> float(passes_over_floor([(2, 1), (3, 1)], 0)) * 3
    7.0
    """
    return np.sum(passes) / (3 + 2 * states)  # (15.4)


def step_time(n, calls, overhead, moved, bandwidth, new=0, page=0.0):
    """The model of a step: calls, bytes and new memory cost time.

    T(n) = c a + n (q / W + z p)                                       (15.5)

    calls, overhead : c calls of a seconds each
    moved, bandwidth : q bytes per parameter, W bytes per second
    new, page : z new arrays, p seconds for a new number's place in memory

    >>> step_time(8, 2, 3.0, 4, 16.0, new=1, page=0.5)
    12.0
    """
    return calls * overhead + n * (moved / bandwidth + new * page)  # (15.5)


def crossing(calls, overhead, moved, bandwidth, new=0, page=0.0):
    """The number of parameters from which bytes cost more than calls.

    n* = c a / (q / W + z p)                                           (15.6)

    >>> crossing(2, 3.0, 4, 16.0, new=1, page=0.5)
    8.0
    """
    return calls * overhead / (moved / bandwidth + new * page)  # (15.6)


def gain_at_once(runs, d, crossing):
    """The time of R runs one by one over that of the R runs at once.

    S = (1 + d/n*) / (1/R + d/n*)                                      (15.7)

    d : parameters of one run; crossing : n* of (15.6)

    >>> gain_at_once(10, 0, 1.0), gain_at_once(4, 2, 8.0)
    (10.0, 2.5)
    """
    return (1 + d / crossing) / (1 / runs + d / crossing)  # (15.7)


# ---- chapter 16: reading claims and frameworks ----------------------------


def first_step_from(g, beta2, v0):
    """RMSprop's first step in units of α from any start of v (ε = 0).

    |Δ_1|/α = |g_1| / √(β₂ v_0 + (1 − β₂) g_1²)                        (16.1)

    >>> float(first_step_from(3.0, 0.75, 12.0).round(6))
    0.894427
    """
    return np.abs(g) / np.sqrt(beta2 * v0 + (1 - beta2) * g**2)  # (16.1)
