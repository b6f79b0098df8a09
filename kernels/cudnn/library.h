// cuDNN on its own terms: images [image][row][column][channel], weights [small channel][tap row][tap column][big
// channel], the same padding on both sides.  The overloads on Cudnn are made of these functions; op_bench also times
// them by themselves, because the library at its best does not know our layout.
#pragma once
#include "kernels/conv.h"
#include "kernels/pool.h"

namespace tobogan::kernels {

enum class ConvPass { kSmall, kBig, kWeight };  // what is computed

// The same sum as cuDNN can say it: where the padding is not the same on both sides, or pixels of big meet nothing,
// the padding becomes a part of big, which then begins pad_top - library.pad_top rows (columns alike) earlier.
ConvDims library_dims(const ConvDims& dims);

// Whether cuDNN has an algorithm that computes in the tag's precision and gives the same bits every time.  The first
// time for each convolution it measures all it has; that is refused while a step is captured.
bool library_has(Cudnn on, const ConvDims& dims, ConvPass pass);

// REQUIRES, for the three: library_dims(dims) == dims, no size is 0, and library_has() says so.
void library_conv2d(Cudnn on, const ConvDims& dims, const Real* big, const Real* weight, Real* small);
void library_conv_transpose2d(Cudnn on, const ConvDims& dims, const Real* small, const Real* weight, Real* big);
void library_conv2d_weight(Cudnn on, const ConvDims& dims, const Real* big, const Real* small, Real* weight);

// y = gamma * (x - mean) * scale + beta by the moments of x (rows x columns), and the way back: dx, dgamma and dbeta.
// REQUIRES: rows and columns are not 0; no operand is a result.
void library_batch_norm(Cudnn on, int64_t rows, int64_t columns, Real epsilon, const Real* x, const Real* gamma,
                        const Real* beta, Real* mean, Real* scale, Real* y);
void library_batch_norm_grad(Cudnn on, int64_t rows, int64_t columns, Real epsilon, const Real* dy, const Real* x,
                             const Real* mean, const Real* scale, const Real* gamma, Real* dx, Real* dgamma,
                             Real* dbeta);

// Max pooling without the choices that the engine differentiates through, and its gradient from values.  Our layout is
// cuDNN's with one image of `block` channels.  REQUIRES: the padding is the same on both sides.
void library_max_pool2d(Cudnn on, const PoolDims& dims, const Real* x, Real* y);
void library_max_pool2d_grad(Cudnn on, const PoolDims& dims, const Real* x, const Real* y, const Real* dy, Real* dx);

}  // namespace tobogan::kernels
