/* small_nets.c - see small_nets.h. */
#include "small_nets.h"

#include "onnx/networks/text.h"
#include "watch.h"

#define END "; n GlobalAveragePool z g; n Flatten g y; out y"

static const struct {
    const char *name, *text;
} nets[] = {
    [SMALL_PLAIN] = {"conv", "in x 1,3,8,8; w w 4,3,3,3; w b 4; n Conv x,w,b a; n Relu a z" END},
    [SMALL_OPEN] = {"open", "in x 1,3,N,N; in s 1,4; w w 4,3,3,3; n Conv x,w a; n "
                            "GlobalAveragePool a g; n Flatten g f; "
                            "w v 4,4; n Gemm f,v h; n Add h,s y; out y"},
    [SMALL_PLACES] = {"places", "in x 1,3,8,8; w w 6,3,3,3; n Conv x,w a; n Sigmoid a y; out y"},
    {"residual", "in x 1,3,8,8; w w 4,3,3,3; w v 4,4,3,3; w c 4; n Conv x,w a pads=[1,1,1,1]; n "
                 "BatchNormalization a,c,c,c,c b; "
                 "n Relu b r; n Conv r,v d pads=[1,1,1,1]; n Add d,a e; n Concat e,r k axis=1; n "
                 "MaxPool k p kernel_shape=[2,2] "
                 "strides=[2,2]; w u 5,8,1,1; n Conv p,u z" END},
    {"tokens", "in x 1,3,8,8; w w 4,3,2,2; n Conv x,w a strides=[2,2]; i s 1,4,16; n Reshape a,s "
               "t; n Transpose t q perm=[0,2,1]; "
               "w m 4,4; n MatMul q,m k; n Transpose k kt perm=[0,2,1]; n MatMul q,kt d; n Softmax "
               "d p axis=2; n MatMul p,q o; "
               "n Add o,q r; w g 4; n LayerNormalization r,g,g l; n ReduceMean l y axes=[1] "
               "keepdims=0; out y; opset 17"},
    {"recurrent", "in x 1,3,8,8; w w 4,3,3,3; n Conv x,w a; n Relu a r; i s 6,1,24; n Reshape r,s "
                  "q; w wi 1,12,24; w wr 1,12,3; "
                  "n LSTM q,wi,wr h,hn hidden_size=3; n Squeeze hn y axes=[0]; out y; opset 11"},
    {"bytes", "in x 1,3,8,8; t s f32 - 0.05; t z u8 - 128; n QuantizeLinear x,s,z q; t w s8 "
              "4,3,3,3 1,-2,3; t ws f32 - 0.01; t wz s8 - "
              "0; n QLinearConv q,s,z,w,ws,wz,s,z c; n DequantizeLinear c,s,z d; n Relu d z1; n "
              "GlobalAveragePool z1 g; n Flatten g "
              "y; out y"},
    {"function", "fn block a,w b k=2; n Conv a,w c; n LeakyRelu c b alpha=0.1; end; in x 1,3,8,8; "
                 "w w 4,3,3,3; w v 5,4,3,3; n "
                 "f:block x,w m; n f:block m,v z" END},
    {"resized", "in x 1,3,8,8; w w 3,4,2,2; n ConvTranspose x,w a strides=[2,2]; t sc f32 4 "
                "1,1,0.5,0.5; n Resize a,,sc b "
                "mode='linear'; i p 0,0,1,1,0,0,1,1; n Pad b,p c mode='reflect'; n HardSwish c z; "
                "n GlobalAveragePool z g; n Flatten "
                "g y; out y; opset 14"},
    {"sliced",
     "in x 1,3,8,8; w w 4,3,3,3; n Conv x,w a; n Shape a s; i i0 0; n Gather s,i0 d "
     "axis=0; n Slice a,st,en,ax b; i st 0; i en "
     "4; i ax 2; n Split b c,e axis=1 split=[2,2]; n Mul c,e f; n Sigmoid f z; opset 11" END},
};

enum { NETS = sizeof nets / sizeof *nets };

const char *small_net_name(unsigned index)
{
    return index < NETS ? nets[index].name : NULL;
}

const unsigned char *small_net(unsigned index, size_t *nbytes)
{
    static unsigned char *made[NETS];
    static size_t size[NETS];

    if (!made[index])
        made[index] = writer_memory(write_text, nets[index].text, &size[index]);
    watch_that(made[index] != NULL, "no memory for a network");
    *nbytes = size[index];
    return made[index];
}
