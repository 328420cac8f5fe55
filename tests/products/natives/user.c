extern int common_value;
int common(void);
int use_common(void) { return common_value + common(); }
