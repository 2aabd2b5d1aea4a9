// Links one room alone, whole (cmake/stead.cmake).
int main() { return 0; }
