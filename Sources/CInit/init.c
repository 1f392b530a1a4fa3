#include "CInit.h"
int apus_init_main(int argc, char **argv){return argc+ (argv==0);}
