#ifndef APUS_CLINUX_H
#define APUS_CLINUX_H
int apus_write(int fd, const char *text, unsigned long size);
#endif
