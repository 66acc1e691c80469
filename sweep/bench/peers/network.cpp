// Hand-written SIMD training of H-unit ReLU networks on XOR: what an expert would write.
//
// One network in each lane of a vector of one register, VECTORS vectors side by side, everything
// specialized: hidden size, number type, patterns. Sums are in the order of the
// project's numerical contract, so that losses have the same bits.
//
//   g++ -O3 -march=native -ffp-contract=off -DNUMBER=double -DHIDDEN=2 -DVECTORS=2 -DUNROLL=2 -DRELU=2

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <type_traits>
#include <vector>

#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX__)
#define BYTES 32
#else
#define BYTES 16
#endif

using Number = NUMBER;
typedef std::conditional<sizeof(Number) == 8, std::int64_t, std::int32_t>::type Integer;
typedef Number Vector __attribute__((vector_size(BYTES)));
typedef Integer Integers __attribute__((vector_size(BYTES)));

constexpr int LANES = BYTES / sizeof(Number);
constexpr int PARAMETERS = 4 * HIDDEN + 1;  // of one network, as given: w0, w1, v, b of every unit, then c
constexpr Number TARGETS[4] = {0, 1, 1, 0};

#define PRAGMA(text) _Pragma(#text)
#define UNROLL_LOOP(count) PRAGMA(GCC unroll count)

// ReLU as a maximum, as one of integers, or as none: a keeps z, and products with it are zero where it is not positive.
// On a Zen 4 integers take the units that multiply instead of those that add, and products are masked for nothing.
enum { MAXIMUM, INTEGERS, GATED };

static inline Vector relu(Vector z)
{
    if (RELU == GATED) return z;
    if (RELU == MAXIMUM) return z < 0 ? Vector{} : z;
    const Integers bits = (Integers)z;
    return (Vector)(bits > 0 ? bits : Integers{});
}

static inline Vector gate(Vector a, Vector product) { return RELU == GATED ? (a > 0 ? product : Vector{}) : product; }

// The eight arrays of a network are spread over the places of a page: a load at the same place of another page
// as a store under way may wait for it. Without, one process in four took twice as long at 32 hidden units.
constexpr int PAGE = 4096 / BYTES;
constexpr int STRIDE = HIDDEN + (PAGE + PAGE / 8 - HIDDEN % PAGE) % PAGE;

// Parameters, and what a forward pass leaves to the backward pass: activations, and gradients with respect to outputs.
struct Networks {
    Vector w0[STRIDE], w1[STRIDE], v[STRIDE], b[STRIDE], a[4][STRIDE], c, g[4];
};

// With MEASURE also the loss.
template <bool MEASURE>
static inline __attribute__((always_inline)) void forward(Networks& s, Vector* loss)
{
    Vector u[4];
    UNROLL_LOOP(UNROLL)
    for (int h = 0; h < HIDDEN; h++) {
        const Vector z[4] = {s.b[h], s.w1[h] + s.b[h], s.w0[h] + s.b[h], (s.w0[h] + s.w1[h]) + s.b[h]};
        for (int n = 0; n < 4; n++) {
            s.a[n][h] = relu(z[n]);
            const Vector term = gate(s.a[n][h], s.a[n][h] * s.v[h]);
            u[n] = h ? u[n] + term : term;
        }
    }
    for (int n = 0; n < 4; n++) {
        const Vector e = (u[n] + s.c) - TARGETS[n];
        if (MEASURE) *loss = n ? *loss + e * e : e * e;
        s.g[n] = e + e;
    }
}

// Backpropagation, updating parameters as it goes.
static inline __attribute__((always_inline)) void backward(Networks& s, Vector rate)
{
    UNROLL_LOOP(UNROLL)
    for (int h = 0; h < HIDDEN; h++) {
        Vector delta[4], sum_v, sum_b;
        for (int n = 0; n < 4; n++) {
            const Vector back = s.g[n] * s.v[h], term = gate(s.a[n][h], s.a[n][h] * s.g[n]);
            delta[n] = s.a[n][h] > 0 ? back : Vector{};
            sum_v = n ? sum_v + term : term;
            sum_b = n ? sum_b + delta[n] : delta[n];
        }
        s.w0[h] -= rate * (delta[2] + delta[3]);
        s.w1[h] -= rate * (delta[1] + delta[3]);
        s.v[h] -= rate * sum_v;
        s.b[h] -= rate * sum_b;
    }
    s.c -= rate * (((s.g[0] + s.g[1]) + s.g[2]) + s.g[3]);
}

static void train_block(const Number* weights, double* losses, long steps, Number learning_rate)
{
    alignas(64) Networks s[VECTORS];
    const Vector rate = learning_rate - Vector{};
    for (int k = 0; k < VECTORS; k++)
        for (int lane = 0; lane < LANES; lane++) {
            const Number* row = weights + (std::size_t)(k * LANES + lane) * PARAMETERS;
            for (int h = 0; h < HIDDEN; h++) {
                s[k].w0[h][lane] = row[h];
                s[k].w1[h][lane] = row[HIDDEN + h];
                s[k].v[h][lane] = row[2 * HIDDEN + h];
                s[k].b[h][lane] = row[3 * HIDDEN + h];
            }
            s[k].c[lane] = row[4 * HIDDEN];
        }
    // All vectors go forward, then all go backward: the CPU has work while one pass waits for its sums.
    for (long t = 0; t < steps; t++) {
        UNROLL_LOOP(VECTORS)
        for (int k = 0; k < VECTORS; k++) forward<false>(s[k], nullptr);
        UNROLL_LOOP(VECTORS)
        for (int k = 0; k < VECTORS; k++) backward(s[k], rate);
    }
    for (int k = 0; k < VECTORS; k++) {
        Vector loss;
        forward<true>(s[k], &loss);
        for (int lane = 0; lane < LANES; lane++) losses[k * LANES + lane] = loss[lane];
    }
}

extern "C" long granularity() { return VECTORS * LANES; }

extern "C" void train(const Number* weights, double* losses, long networks, long steps, long threads, double rate)
{
    constexpr long block = VECTORS * LANES;
    std::atomic<long> next{0};
    const auto work = [&] {
        for (long start; (start = next.fetch_add(block)) < networks;)
            train_block(weights + start * PARAMETERS, losses + start, steps, (Number)rate);
    };
    std::vector<std::thread> others;
    for (long k = 1; k < threads; k++) others.emplace_back(work);
    work();
    for (std::thread& other : others) other.join();
}
