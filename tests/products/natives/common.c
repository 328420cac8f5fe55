int common_value = 5;
int common(void) { return common_value; }
