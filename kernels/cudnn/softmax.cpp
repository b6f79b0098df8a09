// The logarithm of a softmax through cuDNN: a matrix is a batch of images of one pixel, in both layouts alike.
#include "kernels/softmax.h"

#include <cudnn.h>

#include "kernels/cudnn/handles.h"

namespace tobogan::kernels {

void log_softmax(Cudnn on, int64_t rows, int64_t columns, const Real* x, Real* y) {
  if (rows == 0 || columns == 0) return;
  const CudnnTensor matrix(rows, columns, 1, 1);
  const float one = 1, zero = 0;
  check_cudnn(cudnnSoftmaxForward(*on.handles, CUDNN_SOFTMAX_LOG, CUDNN_SOFTMAX_MODE_CHANNEL, &one, matrix, x, &zero,
                                  matrix, y),
              "cudnnSoftmaxForward");
}

}  // namespace tobogan::kernels
